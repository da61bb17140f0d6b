// SPDX-License-Identifier: Apache-2.0
// The harness's tensor cores against plain products and transposes.
#include "core/base/random.h"
#include "core/tensor/convert.h"
#include "gpu/device/mma.cuh"
#include "gpu/device/reduce.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/launch.h"
#include "tests/gpu/simt_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace {

using gpu::launch;
using simt_test::Array;
using simt_test::faultOf;
using simt_test::has;

/// Row-major, as bf16 bits.
struct Matrix {
    int rows, columns;
    std::vector<std::uint16_t> bits;
    double at(int row, int column) const {
        return static_cast<double>(
            core::bf16ToFloat(bits[static_cast<std::size_t>(row * columns + column)]));
    }
};

Matrix randomMatrix(int rows, int columns, std::uint64_t seed) {
    Matrix m{rows, columns, {}};
    const core::CounterRandom random(seed);
    for (int i = 0; i < rows * columns; ++i)
        m.bits.push_back(core::floatToBf16(random.normal(static_cast<std::uint64_t>(i))));
    return m;
}

template <typename T>
Array<T> uploaded(const std::vector<T>& values) {
    Array<T> array(values.size());
    gpu::check(
        cudaMemcpy(array.get(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
        "copying");
    return array;
}

/// Every lane packs the elements that the documentation gives it, a warp a block.
__global__ void multiplyOnce(float* c, const std::uint16_t* a, const std::uint16_t* b) {
    const int group = gpu::laneRank() / 4;
    const int within = gpu::laneRank() % 4;
    const auto pairOf = [](std::uint32_t first, std::uint32_t second) {
        return first | second << 16U;
    };
    std::uint32_t left[4];
    for (int i = 0; i < 4; ++i) {
        const int row = group + (i == 1 || i == 3 ? 8 : 0);
        const int column = within * 2 + (i >= 2 ? 8 : 0);
        left[i] = pairOf(a[row * 16 + column], a[row * 16 + column + 1]);
    }
    std::uint32_t right[2];
    for (int i = 0; i < 2; ++i) {
        const int row = within * 2 + 8 * i;
        right[i] = pairOf(b[row * 8 + group], b[(row + 1) * 8 + group]);
    }
    float sums[4];
    for (int i = 0; i < 4; ++i) sums[i] = c[(group + (i >= 2 ? 8 : 0)) * 8 + within * 2 + (i & 1)];
    gpu::mmaBf16(sums, left, right);
    for (int i = 0; i < 4; ++i) c[(group + (i >= 2 ? 8 : 0)) * 8 + within * 2 + (i & 1)] = sums[i];
}

TEST(SimtMatrix, AProductIsAddedInTheDocumentedPlaces) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const Matrix a = randomMatrix(16, 16, seed);
        const Matrix b = randomMatrix(16, 8, seed + 10);
        std::vector<float> before(128);
        std::iota(before.begin(), before.end(), 1.0F);
        const Array<float> c = uploaded(before);
        launch(nullptr, multiplyOnce, 1, 32, 0, c.get(), uploaded(a.bits).get(),
               uploaded(b.bits).get());
        const std::vector<float> found = c.read();
        for (int i = 0; i < 16; ++i)
            for (int j = 0; j < 8; ++j) {
                double expected = before[static_cast<std::size_t>(i * 8 + j)];
                for (int k = 0; k < 16; ++k) expected += a.at(i, k) * b.at(k, j);
                EXPECT_NEAR(found[static_cast<std::size_t>(i * 8 + j)], expected, 1e-4)
                    << i << ", " << j;
            }
    }
}

/// C = A B^T (A [16, 16] and B [8, 16] by rows, or B [16, 8] transposed) through shared memory.
template <bool kTransposed>
__global__ void multiplyLoaded(float* c, const std::uint16_t* a, const std::uint16_t* b) {
    auto* left = gpu::blockShared<std::uint16_t>();
    std::uint16_t* right = left + 256;
    for (int i = gpu::laneRank(); i < 256; i += 32) left[i] = a[i];
    for (int i = gpu::laneRank(); i < 256; i += 32) right[i] = b[i];
    __syncthreads();
    std::uint32_t rows[4];
    gpu::loadMatrices(rows, left + gpu::laneRank() % 16 * 16 + gpu::laneRank() / 16 * 8);
    // Two tiles of eight columns: their matrices are (columns, k), (columns, k + 8).
    std::uint32_t columns[4];
    const int matrix = gpu::laneRank() / 8;
    const int row = gpu::laneRank() % 8;
    if (kTransposed)
        gpu::loadMatricesTransposed(columns, right + (matrix % 2 * 8 + row) * 16 + matrix / 2 * 8);
    else
        gpu::loadMatrices(columns, right + (matrix / 2 * 8 + row) * 16 + matrix % 2 * 8);
    for (int tile = 0; tile < 2; ++tile) {
        float sums[4] = {};
        const std::uint32_t pair[2] = {columns[2 * tile], columns[2 * tile + 1]};
        gpu::mmaBf16(sums, rows, pair);
        for (int i = 0; i < 4; ++i)
            c[(gpu::laneRank() / 4 + i / 2 * 8) * 16 + 8 * tile + gpu::laneRank() % 4 * 2 + i % 2] =
                sums[i];
    }
}

TEST(SimtMatrix, MatricesAreLoadedByRowsOrTransposed) {
    const Matrix a = randomMatrix(16, 16, 5);
    const Matrix b = randomMatrix(16, 16, 6);
    for (const bool transposed : {false, true}) {
        const Array<float> c(256);
        launch(nullptr, transposed ? multiplyLoaded<true> : multiplyLoaded<false>, 1, 32, 1024,
               c.get(), uploaded(a.bits).get(), uploaded(b.bits).get());
        const std::vector<float> found = c.read();
        for (int i = 0; i < 16; ++i)
            for (int j = 0; j < 16; ++j) {
                double expected = 0.0;
                for (int k = 0; k < 16; ++k)
                    expected += a.at(i, k) * (transposed ? b.at(k, j) : b.at(j, k));
                EXPECT_NEAR(found[static_cast<std::size_t>(i * 16 + j)], expected, 1e-4);
            }
    }
}

__global__ void packOnce(std::uint32_t* packed, float lower, float upper) {
    packed[threadIdx.x] = gpu::packBf16(lower, upper);
}

TEST(SimtMatrix, PairsAreRoundedLowerHalfFirst) {
    const Array<std::uint32_t> packed(1);
    for (const float x : {1.0F, 1.00390625F, 1.01171875F, -3.3F}) {
        launch(nullptr, packOnce, 1, 1, 0, packed.get(), x, 2.0F);
        EXPECT_EQ(packed.read().front(), core::floatToBf16(x) | 0x40000000U);
    }
}

__global__ void multiplyWithoutLane(float* c) {
    float sums[4] = {};
    const std::uint32_t a[4] = {};
    const std::uint32_t b[2] = {};
    if (threadIdx.x != 9) gpu::mmaBf16(sums, a, b);
    c[threadIdx.x] = sums[0];
}

__global__ void loadFrom(std::uint32_t* into, int offset, bool shared) {
    auto* from = gpu::blockShared<unsigned char>();
    std::uint32_t loaded[4];
    gpu::loadMatrices(loaded, shared ? from + offset : reinterpret_cast<unsigned char*>(into));
    into[threadIdx.x] = loaded[0];
}

TEST(SimtMatrixFinds, ALaneThatDoesNotCome) {
    const Array<float> c(64);
    const std::string fault =
        faultOf([&] { launch(nullptr, multiplyWithoutLane, 1, 64, 0, c.get()); });
    EXPECT_TRUE(has(fault, "multiplyWithoutLane")) << fault;
    EXPECT_TRUE(has(fault, "deadlock")) << fault;
}

TEST(SimtMatrixFinds, RowsThatDoNotLieInSharedMemoryAsTheyMust) {
    const Array<std::uint32_t> into(32);
    const auto load = [&](int offset, bool shared) {
        return faultOf([&] { launch(nullptr, loadFrom, 1, 32, 64, into.get(), offset, shared); });
    };
    EXPECT_EQ(load(48, true), "no fault");
    EXPECT_TRUE(has(load(8, true), "not aligned to 16 bytes")) << load(8, true);
    EXPECT_TRUE(has(load(64, true), "outside of shared memory")) << load(64, true);
    EXPECT_TRUE(has(load(0, false), "outside of shared memory")) << load(0, false);
}

}  // namespace
