// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/scratch_layout.h"

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// The arrays of a sort of (key, value) pairs, in device memory.
class SortArrays {
  public:
    /// Takes its places in a scratch layout; attach() when the memory is there.
    SortArrays(ScratchLayout& layout, std::int64_t count);
    void attach(void* scratch);

    std::uint32_t* keys() const { return keys_; }
    std::uint32_t* values() const { return values_; }
    /// Free between two sorts, [count].
    std::uint32_t* spare() const { return otherKeys_; }

    /// Increasing by the lowest `bits` bits of the keys; equal keys stay in their order (Knuth,
    /// TAOCP 3, 5.2.5: least significant digit first).
    void sort(cudaStream_t stream, int bits);

  private:
    void pass(cudaStream_t stream, int shift);

    std::int64_t count_;
    std::size_t at_[6];
    std::uint32_t* keys_ = nullptr;
    std::uint32_t* values_ = nullptr;
    std::uint32_t* otherKeys_ = nullptr;
    std::uint32_t* otherValues_ = nullptr;
    std::uint32_t* places_ = nullptr;  ///< [digits, blocks]
    std::uint32_t* words_ = nullptr;
};

}  // namespace gpu
