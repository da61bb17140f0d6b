// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace upcycle {

/// The text of files, one after the other, in blocks of whole lines (a line longer than a block is
/// cut between two characters).
class TextFiles {
  public:
    /// Each source is "text:PATH" or PATH: a file, or a folder whose *.txt files (at any depth, in
    /// the order of their names) are read. BadInput names what is missing.
    explicit TextFiles(const std::vector<std::string>& sources);

    /// At most 1 MiB; empty after the last file.
    std::optional<std::string> next();

    std::uint64_t bytes() const noexcept { return bytes_; }
    std::uint64_t bytesRead() const noexcept { return bytesRead_; }

  private:
    void add(const core::Path& path);
    std::vector<core::Path> files_;
    std::size_t file_ = 0;
    core::File open_;
    std::uint64_t offset_ = 0;
    std::uint64_t bytes_ = 0, bytesRead_ = 0;
};

}  // namespace upcycle
