// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// CORE_CHECK that every one of `indices` (I64) lies in [0, limit), or is the ignored label where
/// that `mayBeIgnored`; `what` ("id", "label") names them. `word` is scratch memory of 8
/// bytes. Waits for the device.
void requireIndices(cudaStream_t stream, void* word, const core::Tensor& indices,
                    std::int64_t limit, bool mayBeIgnored, const char* what);

}  // namespace gpu
