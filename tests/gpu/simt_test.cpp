// SPDX-License-Identifier: Apache-2.0
// What the host SIMT harness finds, shown with kernels that are wrong on purpose.
#include "tests/gpu/simt_test.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/tensor/convert.h"
#include "gpu/device/random.cuh"
#include "gpu/device/reduce.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/launch.h"
#include "tests/gpu/simt/runtime.h"

#include <cuda_bf16.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace {

using gpu::blockShared;
using gpu::launch;
using simt_test::Array;
using simt_test::faultOf;
using simt_test::has;

// -- what is right -------------------------------------------------------------------------------

__global__ void markVisits(unsigned* visits) {
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    atomicAdd(&visits[block * (blockDim.x * blockDim.y * blockDim.z) + thread], 1U);
}

TEST(SimtGrid, EveryThreadOfEveryBlockRunsOnce) {
    const dim3 grid(3, 2, 4);
    const dim3 block(8, 4, 2);
    const Array<unsigned> visits(24 * 64);
    gpu::check(cudaMemset(visits.get(), 0, 24 * 64 * sizeof(unsigned)), "clearing");
    launch(nullptr, markVisits, grid, block, 0, visits.get());
    EXPECT_EQ(visits.read(), std::vector<unsigned>(24 * 64, 1U));
}

__global__ void noteOrder(int* order, int* count) {
    order[atomicAdd(count, 1)] = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

std::vector<int> orderOf(std::uint64_t seed) {
    simt::setSeed(seed);
    const Array<int> order(64);
    const Array<int> count(1);
    gpu::check(cudaMemset(count.get(), 0, sizeof(int)), "clearing");
    launch(nullptr, noteOrder, 4, 16, 0, order.get(), count.get());
    return order.read();
}

TEST(SimtGrid, TheSeedDecidesTheOrder) {
    std::set<std::vector<int>> orders;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        EXPECT_EQ(orderOf(seed), orderOf(seed));
        orders.insert(orderOf(seed));
    }
    EXPECT_EQ(orders.size(), 5U);
}

template <bool kBarrier>
__global__ void reverseInBlock(float* y) {
    float* shared = blockShared<float>();
    shared[threadIdx.x] = static_cast<float>(threadIdx.x);
    if (kBarrier) __syncthreads();
    y[blockIdx.x * blockDim.x + threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

template <bool kBarrier>
std::vector<float> reversed(std::uint64_t seed) {
    simt::setSeed(seed);
    const Array<float> y(256);
    launch(nullptr, reverseInBlock<kBarrier>, 4, 64, 64 * sizeof(float), y.get());
    return y.read();
}

TEST(SimtFinds, AMissingBarrierAsADifferenceBetweenOrders) {
    std::vector<float> expected;
    for (int i = 0; i < 256; ++i) expected.push_back(static_cast<float>(63 - i % 64));
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        EXPECT_EQ(reversed<true>(seed), expected);
        const std::vector<float> wrong = reversed<false>(seed);
        const auto poisoned =
            std::count_if(wrong.begin(), wrong.end(), [](float x) { return std::isnan(x); });
        EXPECT_GT(poisoned, 64) << "about every second element was read before it was written";
    }
}

/// Each warp leaves its sum; a warp that is ahead overwrites what others have yet to read.
template <bool kBarrier>
__global__ void sumTwice(int* y) {
    int* shared = blockShared<int>();
    int total = 0;
    for (int round = 0; round < 2; ++round) {
        const int sum = gpu::warpSum(round * 100 + 1);
        if (gpu::laneRank() == 0) shared[gpu::warpRank()] = sum;
        __syncthreads();
        total += gpu::warpSum(gpu::laneRank() < gpu::warpsOfBlock() ? shared[gpu::laneRank()] : 0);
        if (kBarrier) __syncthreads();
    }
    y[threadIdx.x] = total;
}

template <bool kBarrier>
int wrongSums(std::uint64_t seed) {
    simt::setSeed(seed);
    const Array<int> y(128);
    launch(nullptr, sumTwice<kBarrier>, 1, 128, gpu::kMostWarps * sizeof(int), y.get());
    const std::vector<int> found = y.read();
    return static_cast<int>(
        std::count_if(found.begin(), found.end(), [](int x) { return x != 128 * (1 + 101); }));
}

TEST(SimtFinds, AMissingBarrierBeforeMemoryIsUsedAgain) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 32; ++seed) {
        EXPECT_EQ(wrongSums<true>(seed), 0);
        found += wrongSums<false>(seed) > 0 ? 1 : 0;
    }
    EXPECT_GT(found, 8) << "in every second block a warp hurries ahead";
}

// -- exchanges -----------------------------------------------------------------------------------

struct Exchanged {
    int up, down, crossed, chosen, halves;
    unsigned votes;
    int any, all;
};

__global__ void exchangeAll(Exchanged* results) {
    const int lane = static_cast<int>(threadIdx.x);
    Exchanged r{};
    r.up = __shfl_up_sync(gpu::kFullWarp, lane, 3);
    r.down = __shfl_down_sync(gpu::kFullWarp, lane, 5);
    r.crossed = __shfl_xor_sync(gpu::kFullWarp, lane, 6);
    r.chosen = __shfl_sync(gpu::kFullWarp, lane, 40);
    r.halves = __shfl_down_sync(gpu::kFullWarp, lane, 1, 16);
    r.votes = __ballot_sync(gpu::kFullWarp, lane % 3 == 0);
    r.any = __any_sync(gpu::kFullWarp, lane == 7);
    r.all = __all_sync(gpu::kFullWarp, lane == 7);
    results[lane] = r;
}

TEST(SimtWarp, ExchangesAsTheProgrammingGuideSays) {
    const Array<Exchanged> results(32);
    launch(nullptr, exchangeAll, 1, 32, 0, results.get());
    const std::vector<Exchanged> found = results.read();
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; lane += 3) votes |= 1U << lane;
    for (int lane = 0; lane < 32; ++lane) {
        const Exchanged& r = found[static_cast<std::size_t>(lane)];
        EXPECT_EQ(r.up, lane < 3 ? lane : lane - 3);
        EXPECT_EQ(r.down, lane + 5 > 31 ? lane : lane + 5);
        EXPECT_EQ(r.crossed, lane ^ 6);
        EXPECT_EQ(r.chosen, 8);
        EXPECT_EQ(r.halves, lane % 16 == 15 ? lane : lane + 1);
        EXPECT_EQ(r.votes, votes);
        EXPECT_EQ(r.any, 1);
        EXPECT_EQ(r.all, 0);
    }
}

__global__ void partOfAWarp(int* y) {
    const int lane = static_cast<int>(threadIdx.x);
    if (lane < 16) y[lane] = __shfl_xor_sync(0xFFFFU, lane, 1);
}

TEST(SimtWarp, OnlyTheNamedLanesNeedToCome) {
    const Array<int> y(16);
    launch(nullptr, partOfAWarp, 1, 32, 0, y.get());
    const std::vector<int> found = y.read();
    for (int lane = 0; lane < 16; ++lane)
        EXPECT_EQ(found[static_cast<std::size_t>(lane)], lane ^ 1);
}

__global__ void missingLanes(int* y) {
    const int lane = static_cast<int>(threadIdx.x);
    if (lane < 16) y[lane] = __shfl_xor_sync(gpu::kFullWarp, lane, 1);
}

TEST(SimtFinds, AnExchangeThatNamedLanesDoNotReach) {
    const Array<int> y(32);
    const std::string fault = faultOf([&] { launch(nullptr, missingLanes, 1, 32, 0, y.get()); });
    EXPECT_TRUE(has(fault, "missingLanes")) << fault;
    EXPECT_TRUE(has(fault, "deadlock")) << fault;
    EXPECT_TRUE(has(fault, "thread (0, 0, 0) waits at the exchange")) << fault;
    EXPECT_TRUE(has(fault, "thread (16, 0, 0) has left the kernel")) << fault;
    EXPECT_TRUE(has(fault, "UPCYCLER_SIMT_SEED=")) << fault;
}

__global__ void halfBlockOfAWarp(int* y) {
    y[threadIdx.x] = __shfl_xor_sync(gpu::kFullWarp, static_cast<int>(threadIdx.x), 1);
}

TEST(SimtFinds, AFullMaskInABlockThatIsNoWholeWarp) {
    const Array<int> y(16);
    const std::string fault =
        faultOf([&] { launch(nullptr, halfBlockOfAWarp, 1, 16, 0, y.get()); });
    EXPECT_TRUE(has(fault, "deadlock")) << fault;
}

__global__ void outsideOfTheMask(int* y) {
    const int lane = static_cast<int>(threadIdx.x);
    y[lane] = __shfl_sync(lane < 16 ? 0xFFFFU : 0xFFFF0000U, lane, 3);
}

TEST(SimtFinds, ALaneThatIsReadWithoutBeingNamed) {
    const Array<int> y(32);
    const std::string fault =
        faultOf([&] { launch(nullptr, outsideOfTheMask, 1, 32, 0, y.get()); });
    EXPECT_TRUE(has(fault, "reads lane 3")) << fault;
}

__global__ void differentMasks(int* y) {
    const int lane = static_cast<int>(threadIdx.x);
    y[lane] = __shfl_xor_sync(lane % 2 == 0 ? gpu::kFullWarp : 0xFFFFFFFEU | 1U << lane, lane, 0);
}

TEST(SimtFinds, LanesThatNameDifferentMasks) {
    const Array<int> y(32);
    const std::string fault = faultOf([&] { launch(nullptr, differentMasks, 1, 32, 0, y.get()); });
    EXPECT_TRUE(has(fault, "another mask or place")) << fault;
}

// -- barriers ------------------------------------------------------------------------------------

__global__ void earlyReturn(int* y) {
    if (threadIdx.x == 5) return;
    __syncthreads();
    y[threadIdx.x] = 1;
}

TEST(SimtFinds, ABarrierThatNotAllThreadsReach) {
    const Array<int> y(64);
    const std::string fault = faultOf([&] { launch(nullptr, earlyReturn, 1, 64, 0, y.get()); });
    EXPECT_TRUE(has(fault, "earlyReturn")) << fault;
    EXPECT_TRUE(has(fault, "thread (5, 0, 0) has left the kernel")) << fault;
    EXPECT_TRUE(has(fault, "waits at the barrier")) << fault;
}

__global__ void twoBarriers(int* y) {
    if (threadIdx.x < 32) {
        __syncthreads();
        y[threadIdx.x] = 1;
    } else {
        __syncthreads();
        y[threadIdx.x] = 2;
    }
}

TEST(SimtFinds, DifferentBarriersOfOneBlock) {
    const Array<int> y(64);
    const std::string fault = faultOf([&] { launch(nullptr, twoBarriers, 1, 64, 0, y.get()); });
    EXPECT_TRUE(has(fault, "while others wait at the barrier")) << fault;
}

TEST(SimtFinds, AFaultAndGoesOnWithTheNextKernel) {
    const Array<int> y(64);
    EXPECT_NE(faultOf([&] { launch(nullptr, earlyReturn, 1, 64, 0, y.get()); }), "no fault");
    EXPECT_EQ(reversed<true>(3).front(), 63.0F);
}

// -- memory --------------------------------------------------------------------------------------

__global__ void writeShared(int offset) {
    if (threadIdx.x == 0) blockShared<float>()[offset] = 1.0F;
}

#if defined(__SANITIZE_ADDRESS__)
TEST(SimtFindsDeathTest, WritingOutsideOfSharedMemory) {
    for (const int offset : {-1, 64, 200})
        EXPECT_DEATH(
            {
                launch(nullptr, writeShared, 1, 32, 64 * sizeof(float), offset);
                cudaDeviceSynchronize();
            },
            "use-after-poison");
}
#else
TEST(SimtFinds, WritingOutsideOfSharedMemory) {
    for (const int offset : {-1, 64, 200}) {
        const std::string fault =
            faultOf([&] { launch(nullptr, writeShared, 1, 32, 64 * sizeof(float), offset); });
        EXPECT_TRUE(has(fault, "writeShared")) << fault;
        EXPECT_TRUE(has(fault, "shared memory was written")) << fault;
    }
    EXPECT_EQ(faultOf([&] { launch(nullptr, writeShared, 1, 32, 64 * sizeof(float), 63); }),
              "no fault");
}
#endif

__global__ void readUnwritten(float* y) { y[threadIdx.x] = blockShared<float>()[threadIdx.x]; }

TEST(SimtFinds, WhatWasNeverWrittenAsNan) {
    const Array<float> y(32);
    for (const float x : y.read()) EXPECT_TRUE(std::isnan(x));
    launch(nullptr, reverseInBlock<true>, 1, 32, 32 * sizeof(float), y.get());
    launch(nullptr, readUnwritten, 1, 32, 32 * sizeof(float), y.get());
    for (const float x : y.read()) EXPECT_TRUE(std::isnan(x)) << "left by another block";
}

template <typename T>
concept AddsAtomically = requires(T* p) {
    atomicAdd(p, T(1));
};
static_assert(AddsAtomically<int> && AddsAtomically<unsigned long long>);
static_assert(!AddsAtomically<float> && !AddsAtomically<double>,
              "sums of floating-point numbers have a fixed order");

// -- launches ------------------------------------------------------------------------------------

TEST(SimtLaunch, RefusesWhatADeviceRefuses) {
    const Array<float> y(2048);
    EXPECT_THROW(launch(nullptr, readUnwritten, 1, 1025, 8192, y.get()), core::Error);
    EXPECT_THROW(launch(nullptr, readUnwritten, dim3(1, 65536), 32, 128, y.get()), core::Error);
    EXPECT_THROW(launch(nullptr, readUnwritten, 1, 32, 100 << 10, y.get()), core::Error);
    EXPECT_EQ(faultOf([&] { launch(nullptr, readUnwritten, 1, 32, 96 << 10, y.get()); }),
              "no fault");
    EXPECT_EQ(faultOf([&] { launch(nullptr, readUnwritten, 0, 32, 128, y.get()); }), "no fault");
    cudaLaunchConfig_t config{};
    config.gridDim = 1;
    config.blockDim = 32;
    config.dynamicSmemBytes = 49 << 10;
    EXPECT_EQ(cudaLaunchKernelEx(&config, reverseInBlock<false>, y.get()), cudaErrorInvalidValue)
        << "more than 48 KiB without having asked for it";
    cudaGetLastError();
}

// -- the device headers --------------------------------------------------------------------------

__global__ void reduceBlocks(double* sums, float* largest, const float* x, int n) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    const float value = i < n ? x[i] : -1.0F;
    const double sum = gpu::blockSum(static_cast<double>(value), blockShared<double>());
    const float most = gpu::blockMax(value, blockShared<float>());
    if (threadIdx.x != blockDim.x - 1) return;
    sums[blockIdx.x] = sum;
    largest[blockIdx.x] = most;
}

TEST(DeviceHeaders, BlockSumsAndMaximaDoNotDependOnTheOrder) {
    for (const unsigned threads : {32U, 96U, 1024U}) {
        const core::CounterRandom random(threads);
        std::vector<float> values(threads * 2);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = random.normal(i);
        const Array<float> x(values.size());
        gpu::check(cudaMemcpy(x.get(), values.data(), values.size() * sizeof(float),
                              cudaMemcpyHostToDevice),
                   "copying");
        std::set<std::vector<double>> results;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            simt::setSeed(seed);
            const Array<double> sums(2);
            const Array<float> largest(2);
            launch(nullptr, reduceBlocks, 2, threads, gpu::kMostWarps * sizeof(double), sums.get(),
                   largest.get(), x.get(), static_cast<int>(values.size()));
            results.insert(sums.read());
            for (std::size_t block = 0; block < 2; ++block) {
                const auto first = values.begin() + static_cast<std::ptrdiff_t>(block * threads);
                EXPECT_NEAR(sums.read()[block], std::accumulate(first, first + threads, 0.0), 1e-4);
                EXPECT_EQ(largest.read()[block], *std::max_element(first, first + threads));
            }
        }
        EXPECT_EQ(results.size(), 1U) << "bitwise the same";
    }
}

__global__ void drawWords(std::uint32_t* words, int* kept, gpu::DropoutRule rule) {
    const std::uint64_t i = threadIdx.x;
    words[i] = gpu::philox(rule.key, i >> 2U).at[i & 3U];
    kept[i] = gpu::isKept(rule, i) ? 1 : 0;
}

TEST(DeviceHeaders, PhiloxHasTheBitsOfTheHosts) {
    const std::uint64_t key = 0x0123456789ABCDEFULL;
    const Array<std::uint32_t> words(256);
    const Array<int> kept(256);
    launch(nullptr, drawWords, 1, 256, 0, words.get(), kept.get(),
           gpu::DropoutRule{key, 1U << 22U, 1.0F});
    const core::CounterRandom random(key);
    for (std::size_t i = 0; i < 256; ++i) {
        EXPECT_EQ(words.read()[i], random.word(i));
        EXPECT_EQ(kept.read()[i] != 0, random.uniform(i) >= 0.25F);
    }
}

TEST(HarnessHeaders, Bf16RoundsAsCoreDoes) {
    for (std::uint32_t high = 0; high < 0x10000U; high += 7)
        for (const std::uint32_t low : {0U, 1U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
            const auto x = std::bit_cast<float>(high << 16U | low);
            const std::uint16_t found = __float2bfloat16(x).bits;
            if (std::isnan(x)) {
                EXPECT_TRUE(std::isnan(core::bf16ToFloat(found)));
                continue;
            }
            EXPECT_EQ(found, core::floatToBf16(x)) << x;
            EXPECT_EQ(__bfloat162float({found}), core::bf16ToFloat(found));
        }
}

}  // namespace
