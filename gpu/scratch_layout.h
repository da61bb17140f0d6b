// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpu {

/// Where the pieces of an op's scratch memory begin, each at a multiple of 256 bytes: place all,
/// ask the backend for bytes() once, add the offsets.
class ScratchLayout {
  public:
    template <typename T>
    std::size_t place(std::int64_t count) {
        const std::size_t at = bytes_;
        bytes_ += (static_cast<std::size_t>(count) * sizeof(T) + 255) / 256 * 256;
        return at;
    }
    std::size_t bytes() const { return bytes_; }

  private:
    std::size_t bytes_ = 0;
};

/// The piece that begins there.
template <typename T>
T* layoutPiece(void* scratch, std::size_t at) {
    return reinterpret_cast<T*>(static_cast<std::byte*>(scratch) + at);
}

}  // namespace gpu
