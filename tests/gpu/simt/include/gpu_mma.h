// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/gpu/simt/matrix.h"

#include <cuda_bf16.h>

#include <cstdint>

namespace gpu {

/// c += A B for the warp's fragments of mma.m16n8k16 (gpu/cuda/gpu_mma.h).
inline void mmaBf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                    const simt::Location& where = simt::Location::current()) {
    simt::multiplyFragments(c, a, b, where);
}

inline void loadMatrices(std::uint32_t (&into)[4], const void* row,
                         const simt::Location& where = simt::Location::current()) {
    simt::loadFragments(into, row, false, where);
}

inline void loadMatricesTransposed(std::uint32_t (&into)[4], const void* row,
                                   const simt::Location& where = simt::Location::current()) {
    simt::loadFragments(into, row, true, where);
}

inline std::uint32_t packBf16(float lower, float upper) {
    return static_cast<std::uint32_t>(__float2bfloat16(lower).bits) |
           static_cast<std::uint32_t>(__float2bfloat16(upper).bits) << 16U;
}

}  // namespace gpu
