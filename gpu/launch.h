// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/handles.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace gpu {

/// What a kernel may use without asking.
constexpr std::size_t kFreeSharedBytes = 48 << 10;

/// The only way of starting a kernel: asynchronous on the stream, with `sharedBytes` of dynamic
/// shared memory (gpu/device/shared.cuh). A grid without blocks does nothing. Throws core::Error.
template <typename... Parameters, typename... Arguments>
void launch(cudaStream_t stream, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            std::size_t sharedBytes, Arguments... arguments) {
    static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                  "a kernel's arguments are copied byte by byte");
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    cudaError_t status = cudaSuccess;
    if (sharedBytes > kFreeSharedBytes)
        status = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(sharedBytes));
    if (status == cudaSuccess) {
        cudaLaunchConfig_t config{};
        config.gridDim = grid;
        config.blockDim = block;
        config.dynamicSmemBytes = sharedBytes;
        config.stream = stream;
        status = cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
    }
    if (status == cudaSuccess) return;
    const char* name = nullptr;
    cudaFuncGetName(&name, kernel);
    check(status, ("starting the kernel " + std::string(name != nullptr ? name : "?")).c_str());
}

constexpr unsigned kElementThreads = 256;

/// Blocks of kElementThreads for a grid-stride loop over n items: enough to fill any device, none
/// for n = 0.
inline unsigned elementBlocks(std::int64_t n) {
    constexpr std::int64_t kMostBlocks = 2048;
    return static_cast<unsigned>(
        std::min(kMostBlocks, (n + kElementThreads - 1) / kElementThreads));
}

}  // namespace gpu
