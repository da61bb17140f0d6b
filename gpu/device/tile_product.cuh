// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/eight.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/device/tile.cuh"

#include <cstdint>

namespace gpu {

/// Half of a warp's part of a block's tile of C, in shared memory on its way to memory.
constexpr int kSlabRows = kWarpRows / 2;
constexpr int kSlabPitch = kWarpColumns + 4;

/// The sums of a warp's 64 x 32 part of a tile; each lane has 64 of them.
template <typename T>
class TileProduct;

/// F32: a lane has rows 4 r + (0..3) and 32 more of lane / 4 = r, columns 4 c + (0..3) and 16 more
/// of lane % 4 = c: 64 multiplications for 16 numbers out of shared memory.
template <>
class TileProduct<float> {
  public:
    /// + the products of a step; a and b are shared tiles, at the warp's rows and columns.
    template <typename TileA, typename TileB>
    __device__ __forceinline__ void add(const float* a, int row, const float* b, int column) {
        constexpr int kPitch = TileA::kPitch;
        const int lane = static_cast<int>(threadIdx.x) % 32;
        a += row + lane / 4 * 4;
        b += column + lane % 4 * 4;
        for (int k = 0; k < kTileDepth<float>; ++k) {
            const Pack<float, 4> rows[2] = {loadPack<4>(a + k * kPitch),
                                            loadPack<4>(a + k * kPitch + 32)};
            const Pack<float, 4> columns[2] = {loadPack<4>(b + k * kPitch),
                                               loadPack<4>(b + k * kPitch + 16)};
            for (int i = 0; i < 8; ++i)
                for (int j = 0; j < 8; ++j)
                    sums_[i][j] += rows[i / 4].at[i % 4] * columns[j / 4].at[j % 4];
        }
    }

    /// Writes the upper (0) or lower (1) half of the rows to shared memory.
    template <int kHalf>
    __device__ __forceinline__ void put(float* slab) const {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        float* const into = slab + lane / 4 * 4 * kSlabPitch + lane % 4 * 4;
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 2; ++j) {
                Pack<float, 4> pack;
                for (int c = 0; c < 4; ++c) pack.at[c] = sums_[kHalf * 4 + i][j * 4 + c];
                storePack(into + i * kSlabPitch + j * 16, pack);
            }
    }

  private:
    float sums_[8][8] = {};
};

/// BF16: four by four products of 16 x 8 on the tensor cores, a lane's sums as those lay them out.
template <>
class TileProduct<__nv_bfloat16> {
  public:
    template <typename TileA, typename TileB>
    __device__ __forceinline__ void add(const __nv_bfloat16* a, int row, const __nv_bfloat16* b,
                                        int column) {
        const int matrix = static_cast<int>(threadIdx.x) % 32 / 8;
        for (int k = 0; k < kTileDepth<__nv_bfloat16>; k += 16) {
            std::uint32_t columns[2][4];  // of 16 columns: eight, with both halves of k, and eight
            for (int j = 0; j < 2; ++j)
                TileB::load(columns[j],
                            TileB::fragmentRow(b, column + 16 * j, matrix / 2, k, matrix % 2));
            for (int i = 0; i < 4; ++i) {
                std::uint32_t rows[4];
                TileA::load(rows, TileA::fragmentRow(a, row + 16 * i, matrix % 2, k, matrix / 2));
                for (int j = 0; j < 4; ++j) {
                    const std::uint32_t eight[2] = {columns[j / 2][j % 2 * 2],
                                                    columns[j / 2][j % 2 * 2 + 1]};
                    mmaBf16(sums_[i][j], rows, eight);
                }
            }
        }
    }

    template <int kHalf>
    __device__ __forceinline__ void put(float* slab) const {
        const int lane = static_cast<int>(threadIdx.x) % 32;
        float* const into = slab + lane / 4 * kSlabPitch + lane % 4 * 2;
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j)
                storePack(into + i * 8 * kSlabPitch + j * 8,
                          Pack<float, 2>{sums_[kHalf * 2 + i / 2][j][i % 2 * 2],
                                         sums_[kHalf * 2 + i / 2][j][i % 2 * 2 + 1]});
    }

  private:
    float sums_[4][4][4] = {};
};

template <typename T>
constexpr int kStageElements = 2 * SharedTile<T, true>::kElements;

/// Bytes of shared memory of a block: two steps of both operands, then the warps' slabs.
template <typename T>
constexpr std::size_t kTileSharedBytes = [] {
    constexpr std::size_t kSteps = sizeof(T) * 2 * kStageElements<T>;
    constexpr std::size_t kSlabs = sizeof(float) * kSlabRows * kSlabPitch * (kTileThreads / 32);
    return kSteps > kSlabs ? kSteps : kSlabs;
}();

/// Nothing more to do with a step than to multiply.
struct NoStep {
    template <typename T>
    __device__ __forceinline__ void operator()(const T* /*tile*/, int /*depth*/) const {}
};

/// The tile of C at (firstRow, firstColumn) of the sum over k < depth. finish(row, column, sums)
/// gets the sums of eight neighbouring columns, of which some may lie behind the last one. All
/// threads come to step(tile of A, its k) once a step.
template <typename T, bool kDepthInRowOfA, bool kDepthInRowOfB, typename Step, typename Finish>
__device__ __forceinline__ void multiplyTile(const Operand<T>& a, const Operand<T>& b,
                                             std::int64_t firstRow, std::int64_t firstColumn,
                                             std::int64_t rows, std::int64_t columns, int depth,
                                             Step step, const Finish& finish) {
    using TileA = SharedTile<T, kDepthInRowOfA>;
    using TileB = SharedTile<T, kDepthInRowOfB>;
    static_assert(TileA::kElements + TileB::kElements == kStageElements<T>);
    T* const shared = blockShared<T>();
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int warpRow = warp / kWarpsAside * kWarpRows;
    const int warpColumn = warp % kWarpsAside * kWarpColumns;
    const bool has = firstRow + warpRow < rows && firstColumn + warpColumn < columns;

    TileCarrier<T, kDepthInRowOfA> carryA(a, firstRow);
    TileCarrier<T, kDepthInRowOfB> carryB(b, firstColumn);
    TileProduct<T> product;
    carryA.load(depth);
    carryB.load(depth);
    T* tileA = shared;
    for (int left = depth; left > 0; left -= kTileDepth<T>) {
        T* const tileB = tileA + TileA::kElements;
        carryA.store(tileA);
        carryB.store(tileB);
        __syncthreads();
        if (left > kTileDepth<T>) {
            carryA.load(left - kTileDepth<T>);
            carryB.load(left - kTileDepth<T>);
        }
        step(tileA, left < kTileDepth<T> ? left : kTileDepth<T>);
        if (has) product.template add<TileA, TileB>(tileA, warpRow, tileB, warpColumn);
        tileA = tileA == shared ? shared + kStageElements<T> : shared;
    }
    __syncthreads();
    if (!has) return;

    float* const slab = blockShared<float>() + warp * kSlabRows * kSlabPitch;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t column = firstColumn + warpColumn + lane % 4 * kEight;
    for (int half = 0; half < 2; ++half) {
        if (half == 0)
            product.template put<0>(slab);
        else
            product.template put<1>(slab);
        __syncwarp();
        for (int r = lane / 4; r < kSlabRows; r += 8) {
            const std::int64_t row = firstRow + warpRow + half * kSlabRows + r;
            if (row < rows && column < columns)
                finish(row, column,
                       loadEight(slab + r * kSlabPitch + lane % 4 * kEight, kEight, true));
        }
        __syncwarp();
    }
}

}  // namespace gpu
