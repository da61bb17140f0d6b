// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// Scores in their order as integers: larger is better, NaN is below everything, -0 equals 0.
__device__ __forceinline__ std::uint32_t orderedScore(float score) {
    if (score != score) return 0U;
    if (score == 0.0F) return 0x80000000U;
    const std::uint32_t bits = __float_as_uint(score);
    return (bits >> 31U) != 0 ? ~bits : bits | 0x80000000U;
}

}  // namespace gpu
