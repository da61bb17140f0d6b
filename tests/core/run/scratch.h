// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace core {

/// A folder of its own for one test, removed at the end.
class ScratchFolder {
  public:
    ScratchFolder() {
        std::string name = testing::TempDir() + "upcycler-test-XXXXXX";
        const char* made = ::mkdtemp(name.data());
        path_ = made == nullptr ? Path() : Path(made);
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const Path& path() const { return path_; }

  private:
    Path path_;
};

}  // namespace core
