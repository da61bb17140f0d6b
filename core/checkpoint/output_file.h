// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace core {

/// A file being written in large pieces. Where the file system can, whole pages go past the page
/// cache (O_DIRECT): on a busy machine the kernel holds back whoever fills the cache, and a big
/// checkpoint would push everybody else's files out of it.
class OutputFile {
  public:
    explicit OutputFile(File file);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    void writeAt(std::uint64_t offset, std::span<const std::byte> bytes);
    void close();

  private:
    std::size_t writeDirect(std::uint64_t offset, std::span<const std::byte> pages);

    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    File file_;
    int direct_ = -1;
    std::unique_ptr<std::byte, Free> pages_;  ///< aligned copy of what is written
};

}  // namespace core
