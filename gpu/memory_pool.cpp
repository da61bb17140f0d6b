// SPDX-License-Identifier: Apache-2.0
#include "gpu/memory_pool.h"

#include "core/base/error.h"
#include "gpu/handles.h"

#include <cuda_runtime.h>

#include <utility>

namespace gpu {
namespace {

/// Sizes are rounded up to this, so that nearly equal ones share memory.
constexpr std::size_t kGranule = 512;
/// Larger ones (a workspace that becomes one piece) go back to the driver, which waits for the
/// device before it takes them.
constexpr std::size_t kMostKept = std::size_t{16} << 20;

}  // namespace

class PooledBuffer final : public core::Buffer {
  public:
    PooledBuffer(std::shared_ptr<MemoryPool> pool, void* memory, std::size_t bytes,
                 std::size_t reserved)
        : Buffer(static_cast<std::byte*>(memory), bytes, false),
          pool_(std::move(pool)),
          reserved_(reserved) {}
    ~PooledBuffer() override { pool_->giveBack(data(), reserved_); }
    PooledBuffer(const PooledBuffer&) = delete;
    PooledBuffer& operator=(const PooledBuffer&) = delete;

  private:
    std::shared_ptr<MemoryPool> pool_;
    std::size_t reserved_;
};

MemoryPool::~MemoryPool() { release(); }

std::shared_ptr<core::Buffer> MemoryPool::allocate(std::size_t bytes) {
    const std::size_t reserved = (bytes + kGranule - 1) / kGranule * kGranule;
    void* const memory = take(reserved);
    try {
        return std::make_shared<PooledBuffer>(shared_from_this(), memory, bytes, reserved);
    } catch (...) {
        giveBack(memory, reserved);
        throw;
    }
}

void* MemoryPool::take(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    if (const auto found = kept_.find(bytes); found != kept_.end()) {
        void* const memory = found->second;
        kept_.erase(found);
        return memory;
    }
    CORE_CHECK(!capturing_, "memory that was asked for before the capture");
    void* memory = nullptr;
    if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
    cudaGetLastError();
    release();
    return DeviceMemory(bytes).letGo();
}

void MemoryPool::giveBack(void* memory, std::size_t bytes) noexcept {
    if (memory == nullptr) return;
    if (bytes > kMostKept && !capturing_) {
        cudaFree(memory);
        return;
    }
    try {
        kept_.emplace(bytes, memory);
    } catch (...) {
        cudaFree(memory);
    }
}

void MemoryPool::trim() {
    const auto first = kept_.upper_bound(kMostKept);
    for (auto large = first; large != kept_.end(); ++large) cudaFree(large->second);
    kept_.erase(first, kept_.end());
}

void MemoryPool::release() {
    for (const auto& [bytes, memory] : kept_) cudaFree(memory);
    kept_.clear();
}

}  // namespace gpu
