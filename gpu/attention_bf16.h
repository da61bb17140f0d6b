// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/attention_view.h"
#include "gpu/device/attention_rows.cuh"

namespace gpu {

/// withHeadWidth for the kernels on tensor cores, which have narrower tiles, too.
template <typename Run>
void withMmaWidth(std::int64_t headDim, Run run) {
    if (headDim <= 32)
        run.template operator()<32>();
    else
        withHeadWidth(headDim, run);
}

/// attentionForward for BF16, on tensor cores.
void attendBf16(cudaStream_t stream, const core::Tensor& o, const core::Tensor& logSumExp,
                const core::Tensor& q, const core::Tensor& k, const core::Tensor& v,
                const core::AttentionShape& shape, const AttentionView& view);

/// attentionBackward for BF16, on tensor cores; dBias is null where it is not wanted.
void attentionGradientsBf16(cudaStream_t stream, const core::Tensor& dq, const core::Tensor& dk,
                            const core::Tensor& dv, float* dBias, const RowSums& sums,
                            const Inputs<Bf16>& in, const core::AttentionShape& shape,
                            const AttentionView& view);

}  // namespace gpu
