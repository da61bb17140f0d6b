// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/buffer.h"

#include <cstddef>
#include <map>
#include <memory>

namespace gpu {

/// Device memory that is kept when a small buffer goes and given to the next one of its size: after
/// the first step the driver is not asked any more. Large ones go back at once. Safe without
/// waiting, because all work goes to one stream. Buffers keep their pool alive.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
  public:
    MemoryPool() = default;
    ~MemoryPool();
    MemoryPool(const MemoryPool&) = delete;
    MemoryPool& operator=(const MemoryPool&) = delete;

    /// Uninitialised, aligned to 256 bytes. When the device is full, what is kept is given back
    /// first; then throws OutOfMemory.
    std::shared_ptr<core::Buffer> allocate(std::size_t bytes);

    /// While work is captured the driver is not asked: a buffer that is not kept already is
    /// refused, and large ones wait for `trim`.
    void setCapturing(bool on) noexcept { capturing_ = on; }

    /// Gives the large ones that are kept back to the driver.
    void trim();

    /// Gives what is kept back to the driver.
    void release();

  private:
    friend class PooledBuffer;
    void* take(std::size_t bytes);
    void giveBack(void* memory, std::size_t bytes) noexcept;

    std::multimap<std::size_t, void*> kept_;
    bool capturing_ = false;
};

}  // namespace gpu
