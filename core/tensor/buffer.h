// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

namespace core {

/// A block of memory of one device. Its owner is whoever holds the last handle; how it is freed is
/// the allocator's.
class Buffer {
  public:
    virtual ~Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    std::byte* data() const noexcept { return data_; }
    std::size_t bytes() const noexcept { return bytes_; }
    /// Whether the CPU may dereference `data()`.
    bool onHost() const noexcept { return onHost_; }

  protected:
    Buffer(std::byte* data, std::size_t bytes, bool onHost)
        : data_(data), bytes_(bytes), onHost_(onHost) {}

  private:
    std::byte* data_;
    std::size_t bytes_;
    bool onHost_;
};

/// Host memory aligned to 64 bytes, uninitialised. Throws OutOfMemory.
std::shared_ptr<Buffer> allocateHost(std::size_t bytes);

}  // namespace core
