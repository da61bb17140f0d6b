// SPDX-License-Identifier: Apache-2.0
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/packs.h"
#include "gpu/radix_sort.h"
#include "gpu/scan.h"

#include <utility>

namespace gpu {
namespace {

constexpr int kDigits = 256;
constexpr int kWarps = kBlock / 32;
constexpr int kRounds = 16;
constexpr int kTile = kBlock * kRounds;
constexpr std::size_t kShared = sizeof(std::uint32_t) * kWarps * kDigits;
static_assert(kDigits == kBlock, "a thread a digit");

/// This lane's item of a round: every warp has a piece of the block's tile to itself.
__device__ std::int64_t itemOf(int round) {
    const std::int64_t warp = static_cast<std::int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
    return (warp * kRounds + round) * 32 + laneRank();
}

__device__ unsigned digitOf(std::uint32_t key, int shift) { return (key >> shift) % kDigits; }

/// counts [warps, digits] of the block's items.
__device__ void countTile(std::uint32_t* counts, const std::uint32_t* keys, std::int64_t count,
                          int shift) {
    for (int w = 0; w < kWarps; ++w) counts[w * kDigits + threadIdx.x] = 0;
    __syncthreads();
    std::uint32_t* own = counts + threadIdx.x / 32 * kDigits;
    for (int round = 0; round < kRounds; ++round) {
        const std::int64_t i = itemOf(round);
        if (i < count) atomicAdd(own + digitOf(keys[i], shift), 1U);
    }
    __syncthreads();
}

/// places [digits, blocks] = how many of each digit a block has.
__global__ void countDigits(std::uint32_t* places, const std::uint32_t* keys, std::int64_t count,
                            int shift) {
    auto* counts = blockShared<std::uint32_t>();
    countTile(counts, keys, count, shift);
    std::uint32_t total = 0;
    for (int w = 0; w < kWarps; ++w) total += counts[w * kDigits + threadIdx.x];
    places[static_cast<std::int64_t>(threadIdx.x) * gridDim.x + blockIdx.x] = total;
}

/// Moves every item to its digit's place (`places` scanned), in the order in which it comes.
__global__ void moveItems(std::uint32_t* newKeys, std::uint32_t* newValues,
                          const std::uint32_t* keys, const std::uint32_t* values,
                          const std::uint32_t* places, std::int64_t count, int shift) {
    auto* next = blockShared<std::uint32_t>();
    countTile(next, keys, count, shift);
    std::uint32_t place = places[static_cast<std::int64_t>(threadIdx.x) * gridDim.x + blockIdx.x];
    for (int w = 0; w < kWarps; ++w) {
        const std::uint32_t own = next[w * kDigits + threadIdx.x];
        next[w * kDigits + threadIdx.x] = place;
        place += own;
    }
    __syncthreads();
    std::uint32_t* own = next + threadIdx.x / 32 * kDigits;
    const unsigned below = (1U << laneRank()) - 1U;
    for (int round = 0; round < kRounds; ++round) {
        const std::int64_t i = itemOf(round);
        const bool here = i < count;
        const std::uint32_t key = here ? keys[i] : 0U;
        const unsigned digit = digitOf(key, shift);
        unsigned peers = __ballot_sync(0xFFFFFFFFU, here);
        for (unsigned bit = 0; bit < 8; ++bit) {
            const bool set = ((digit >> bit) & 1U) != 0;
            const unsigned with = __ballot_sync(0xFFFFFFFFU, set);
            peers &= set ? with : ~with;
        }
        const auto rank = static_cast<unsigned>(__popc(peers & below));
        const std::uint32_t start = own[digit];
        __syncwarp();
        if (here && rank == 0) own[digit] = start + static_cast<unsigned>(__popc(peers));
        __syncwarp();
        if (here) {
            newKeys[start + rank] = key;
            newValues[start + rank] = values[i];
        }
    }
}

}  // namespace

SortArrays::SortArrays(ScratchLayout& layout, std::int64_t count) : count_(count) {
    for (int i = 0; i < 4; ++i) at_[i] = layout.place<std::uint32_t>(count);
    const std::int64_t places = kDigits * divideUp(count, kTile);
    at_[4] = layout.place<std::uint32_t>(places);
    at_[5] = layout.place<std::uint32_t>(scanWords(places));
}

void SortArrays::attach(void* scratch) {
    std::uint32_t** const arrays[] = {&keys_,        &values_, &otherKeys_,
                                      &otherValues_, &places_, &words_};
    for (int i = 0; i < 6; ++i) *arrays[i] = layoutPiece<std::uint32_t>(scratch, at_[i]);
}

void SortArrays::sort(cudaStream_t stream, int bits) {
    for (int shift = 0; count_ > 0 && shift < bits; shift += 8) pass(stream, shift);
}

void SortArrays::pass(cudaStream_t stream, int shift) {
    const std::int64_t blocks = divideUp(count_, kTile);
    const dim3 grid(static_cast<unsigned>(blocks));
    launch(stream, countDigits, grid, dim3(kBlock), kShared, places_, keys_, count_, shift);
    exclusiveScan(stream, places_, kDigits * blocks, words_);
    launch(stream, moveItems, grid, dim3(kBlock), kShared, otherKeys_, otherValues_, keys_, values_,
           places_, count_, shift);
    std::swap(keys_, otherKeys_);
    std::swap(values_, otherValues_);
}

}  // namespace gpu
