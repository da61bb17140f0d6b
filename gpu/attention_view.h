// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/attention.cuh"
#include "gpu/packs.h"

#include <cstdint>
#include <initializer_list>

namespace gpu {

/// The view of one attention. `shown` is device memory for [batch] numbers, filled here; `tensors`
/// are all those whose rows are loaded or stored.
AttentionView viewAttention(cudaStream_t stream, std::int32_t* shown,
                            const core::AttentionShape& shape,
                            const core::AttentionOptions& options,
                            std::initializer_list<const core::Tensor*> tensors);

/// run.operator()<D>() with the width of tiles for heads of that size. Throws core::Error for heads
/// wider than 256.
template <typename Run>
void withHeadWidth(std::int64_t headDim, Run run) {
    if (headDim <= 64)
        run.template operator()<64>();
    else if (headDim <= 128)
        run.template operator()<128>();
    else if (headDim <= 256)
        run.template operator()<256>();
    else
        throw core::Error{core::ErrorKind::Device,
                          "attention heads of " + std::to_string(headDim) +
                              " numbers: this device's kernels go up to 256",
                          "train this model on the CPU (device \"cpu\")"};
}

}  // namespace gpu
