// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

namespace gpu {

constexpr unsigned kFullWarp = 0xFFFFFFFFU;
constexpr int kWarp = 32;
/// Elements of shared memory that blockSum and its like need.
constexpr int kMostWarps = 32;

/// The thread's number in its block (blocks are one-dimensional where these are used).
__device__ __forceinline__ int threadRank() { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int laneRank() { return threadRank() % kWarp; }
__device__ __forceinline__ int warpRank() { return threadRank() / kWarp; }
__device__ __forceinline__ int warpsOfBlock() { return static_cast<int>(blockDim.x) / kWarp; }

/// The sum over the warp, the same bits in every lane (float, double or an integer).
template <typename T>
__device__ __forceinline__ T warpSum(T x) {
    for (int step = kWarp / 2; step > 0; step /= 2) x += __shfl_xor_sync(kFullWarp, x, step);
    return x;
}

/// The largest of the warp; a NaN may be passed over.
template <typename T>
__device__ __forceinline__ T warpMax(T x) {
    for (int step = kWarp / 2; step > 0; step /= 2) {
        const T other = __shfl_xor_sync(kFullWarp, x, step);
        x = x < other ? other : x;
    }
    return x;
}

template <typename T>
struct Best {
    T value;
    int index;
};

/// The largest value of the warp and its index; ties go to the lower index.
template <typename T>
__device__ __forceinline__ Best<T> warpArgMax(Best<T> x) {
    for (int step = kWarp / 2; step > 0; step /= 2) {
        const Best<T> other{__shfl_xor_sync(kFullWarp, x.value, step),
                            __shfl_xor_sync(kFullWarp, x.index, step)};
        if (other.value > x.value || (other.value == x.value && other.index < x.index)) x = other;
    }
    return x;
}

/// The sum over a block of whole warps, in a fixed order, the same in every thread. `shared` has
/// kMostWarps elements and may be used again after the call.
template <typename T>
__device__ __forceinline__ T blockSum(T x, T* shared) {
    x = warpSum(x);
    if (laneRank() == 0) shared[warpRank()] = x;
    __syncthreads();
    x = warpSum(laneRank() < warpsOfBlock() ? shared[laneRank()] : T(0));
    __syncthreads();
    return x;
}

/// The largest over a block of whole warps; as blockSum.
template <typename T>
__device__ __forceinline__ T blockMax(T x, T* shared) {
    x = warpMax(x);
    if (laneRank() == 0) shared[warpRank()] = x;
    __syncthreads();
    x = warpMax(shared[laneRank() < warpsOfBlock() ? laneRank() : 0]);
    __syncthreads();
    return x;
}

}  // namespace gpu
