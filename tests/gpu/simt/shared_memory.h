// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace simt {

/// The shared memory of the block that runs: filled with 0xFF (a NaN in every float), with known
/// bytes on both sides; AddressSanitizer lets nobody touch those.
class SharedMemory {
  public:
    explicit SharedMemory(std::size_t bytes);
    ~SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    /// What was written outside, in words; empty when nothing was.
    std::string damage() const;

  private:
    std::size_t bytes_;
};

/// Whether all these bytes are the running block's.
bool inSharedMemory(const void* address, std::size_t bytes);

}  // namespace simt
