// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

namespace gpu {

/// A small repeating ramp in [-1, 1): the input of the proof product, the same on host and device.
__host__ __device__ inline float rampValue(int index) {
    return static_cast<float>(index * 37 % 128 - 64) / 64.0F;
}

}  // namespace gpu
