// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/convert.cuh"

#include <cstdint>

namespace gpu {

/// rule.run<N>(i) for whole packs of N elements, then rule.run<1>(i) for the rest.
template <int N, typename Rule>
__global__ void eachElement(Rule rule, std::int64_t n) {
    const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
    const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    const std::int64_t packs = n / N;
    for (std::int64_t p = first; p < packs; p += step) rule.template run<N>(p * N);
    for (std::int64_t i = packs * N + first; i < n; i += step) rule.template run<1>(i);
}

}  // namespace gpu
