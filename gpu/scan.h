// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// Words of scratch memory that exclusiveScan needs.
std::int64_t scanWords(std::int64_t count);

/// values[i] = the sum of all before it, in place; the total is below 2^32.
void exclusiveScan(cudaStream_t stream, std::uint32_t* values, std::int64_t count,
                   std::uint32_t* words);

}  // namespace gpu
