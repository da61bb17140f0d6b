// SPDX-License-Identifier: Apache-2.0
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/packs.h"
#include "gpu/scan.h"

namespace gpu {
namespace {

constexpr int kEach = 4;
constexpr int kTile = kBlock * kEach;
constexpr std::size_t kShared = sizeof(std::uint32_t) * (kBlock / 32);

/// The sum of the values of the threads before this one, and of all of the block.
struct Place {
    std::uint32_t before;
    std::uint32_t total;
};

__device__ Place placeInBlock(std::uint32_t value, std::uint32_t* shared) {
    std::uint32_t inclusive = value;
    for (unsigned step = 1; step < 32; step *= 2) {
        const std::uint32_t other = __shfl_up_sync(0xFFFFFFFFU, inclusive, step);
        if (static_cast<unsigned>(laneRank()) >= step) inclusive += other;
    }
    const unsigned warp = threadIdx.x / 32;
    __syncthreads();
    if (laneRank() == 31) shared[warp] = inclusive;
    __syncthreads();
    Place place{inclusive - value, 0};
    for (unsigned w = 0; w < kBlock / 32; ++w) {
        if (w < warp) place.before += shared[w];
        place.total += shared[w];
    }
    return place;
}

/// Each tile by itself, its total to sums.
__global__ void scanTiles(std::uint32_t* values, std::uint32_t* sums, std::int64_t count) {
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kTile +
                               static_cast<std::int64_t>(threadIdx.x) * kEach;
    std::uint32_t own[kEach];
    std::uint32_t sum = 0;
    for (int i = 0; i < kEach; ++i) {
        own[i] = first + i < count ? values[first + i] : 0U;
        sum += own[i];
    }
    const Place place = placeInBlock(sum, blockShared<std::uint32_t>());
    std::uint32_t before = place.before;
    for (int i = 0; i < kEach; ++i) {
        if (first + i < count) values[first + i] = before;
        before += own[i];
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = place.total;
}

/// The tiles' totals, by one block.
__global__ void scanSums(std::uint32_t* sums, std::int64_t count) {
    std::uint32_t carry = 0;
    for (std::int64_t top = 0; top < count; top += kBlock) {
        const std::int64_t i = top + threadIdx.x;
        const Place place = placeInBlock(i < count ? sums[i] : 0U, blockShared<std::uint32_t>());
        if (i < count) sums[i] = carry + place.before;
        carry += place.total;
    }
}

__global__ void addSums(std::uint32_t* values, const std::uint32_t* sums, std::int64_t count) {
    const std::int64_t i = threadElement();
    if (i < count) values[i] += sums[i / kTile];
}

}  // namespace

std::int64_t scanWords(std::int64_t count) { return divideUp(count, kTile); }

void exclusiveScan(cudaStream_t stream, std::uint32_t* values, std::int64_t count,
                   std::uint32_t* words) {
    if (count == 0) return;
    const std::int64_t tiles = scanWords(count);
    launch(stream, scanTiles, dim3(static_cast<unsigned>(tiles)), dim3(kBlock), kShared, values,
           words, count);
    if (tiles == 1) return;
    launch(stream, scanSums, dim3(1), dim3(kBlock), kShared, words, tiles);
    launch(stream, addSums, blocksFor(count), dim3(kBlock), 0, values, words, count);
}

}  // namespace gpu
