// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace core {

/// Memory that a forked child writes and its parent reads, freed on destruction. Throws OutOfMemory
/// where there is none.
class SharedBytes {
  public:
    SharedBytes() = default;
    explicit SharedBytes(std::size_t bytes);
    SharedBytes(SharedBytes&& other) noexcept;
    SharedBytes& operator=(SharedBytes&& other) noexcept;
    SharedBytes(const SharedBytes&) = delete;
    SharedBytes& operator=(const SharedBytes&) = delete;
    ~SharedBytes();

    std::span<std::byte> bytes() const noexcept { return bytes_; }

  private:
    std::span<std::byte> bytes_;
};

}  // namespace core
