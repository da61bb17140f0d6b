// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

namespace gpu {

/// The block's dynamic shared memory: as many bytes as the launch asked for, uninitialised.
template <typename T>
__device__ __forceinline__ T* blockShared() {
    extern __shared__ __align__(128) unsigned char gpuBlockSharedBytes[];
    return reinterpret_cast<T*>(gpuBlockSharedBytes);
}

}  // namespace gpu
