// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/convert.cuh"
#include "gpu/device/reduce.cuh"

#include <cstdint>

namespace gpu {

template <int N, typename T>
__device__ __forceinline__ Pack<float, N> loadFloats(const T* from) {
    const auto raw = loadPack<N>(from);
    Pack<float, N> values;
    for (int i = 0; i < N; ++i) values.at[i] = toFloat(raw.at[i]);
    return values;
}

template <int N, typename T>
__device__ __forceinline__ void storeFloats(T* into, const Pack<float, N>& values) {
    Pack<T, N> raw;
    for (int i = 0; i < N; ++i) raw.at[i] = fromFloat<T>(values.at[i]);
    storePack<N>(into, raw);
}

/// The thread's element in a grid of a thread an element.
__device__ __forceinline__ std::int64_t threadElement() {
    return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

/// The warp's row in a grid of a warp a row.
__device__ __forceinline__ std::int64_t warpRow() { return threadElement() / kWarp; }

/// body(c) for this lane's packs [c, c + N) of a row of `columns` elements, a multiple of N.
template <int N, typename Body>
__device__ __forceinline__ void forLanePacks(std::int64_t columns, Body body) {
    for (std::int64_t c = laneRank() * N; c < columns; c += kWarp * N) body(c);
}

/// The same where the whole block has the row.
template <int N, typename Body>
__device__ __forceinline__ void forBlockPacks(std::int64_t columns, Body body) {
    const std::int64_t step = static_cast<std::int64_t>(blockDim.x) * N;
    for (std::int64_t c = static_cast<std::int64_t>(threadIdx.x) * N; c < columns; c += step)
        body(c);
}

}  // namespace gpu
