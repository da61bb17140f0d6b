// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/attention.cuh"

namespace gpu {

using Bf16 = __nv_bfloat16;

/// Numbers of each query, [batch, heads, queries]: what the forward pass left; nearly the mean of
/// dP (dOut . o), subtracted first, which keeps the digits of what cancels; 1 / the sum of
/// exp(score - logSumExp); the mean of dP - shift under these probabilities. They add up to 1 and
/// the mean is that of these very numbers, so that a row of dScores cancels: the gradient of the
/// keys' bias is nothing but such rows' sums.
struct RowSums {
    const float* logSumExp;
    float* shift;
    float* norm;
    float* mean;
};

/// The same for one query; nothing but zeros where there is none.
struct alignas(16) Row {
    float logSumExp = 0.0F;
    float shift = 0.0F;
    float norm = 0.0F;
    float mean = 0.0F;
};

__device__ __forceinline__ Row rowOf(const RowSums& sums, const AttentionView& view,
                                     std::int64_t head, std::int64_t query) {
    if (query >= view.queries) return {};
    const std::int64_t at = head * view.queries + query;
    return {sums.logSumExp[at], sums.shift[at], sums.norm[at], sums.mean[at]};
}

template <typename T>
struct Inputs {
    const T* q;
    const T* k;
    const T* v;
    const T* o;
    const T* dOut;
};

}  // namespace gpu
