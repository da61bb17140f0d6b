// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/elements.cuh"
#include "gpu/launch.h"

#include <cstdint>
#include <initializer_list>

namespace gpu {

/// rule.run<N>(i) for every element i of [0, n), N neighbours at a time (16 bytes of T) where all
/// the arrays begin at places that allow it. T is the smallest type among the arrays.
template <typename T, typename Rule>
void forElements(cudaStream_t stream, std::int64_t n, std::initializer_list<const void*> arrays,
                 Rule rule) {
    if (n == 0) return;
    constexpr int kPack = static_cast<int>(16 / sizeof(T));
    constexpr std::uintptr_t kWidest = 8 * sizeof(float);
    bool wide = true;
    for (const void* array : arrays)
        wide = wide && reinterpret_cast<std::uintptr_t>(array) % kWidest == 0;
    if (wide)
        launch(stream, eachElement<kPack, Rule>, elementBlocks(n / kPack + kPack), kElementThreads,
               0, rule, n);
    else
        launch(stream, eachElement<1, Rule>, elementBlocks(n), kElementThreads, 0, rule, n);
}

}  // namespace gpu
