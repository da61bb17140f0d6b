// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/attention.cuh"
#include "gpu/device/mma.cuh"

namespace gpu {

/// A block's warps, each with 16 of its 64 rows; what a lane holds of their products says mma.cuh.
constexpr int kMmaWarps = 4;
constexpr int kMmaThreads = kMmaWarps * kWarp;
constexpr int kWarpRows = 16;
constexpr int kOwnRows = kMmaWarps * kWarpRows;

/// Rows of a tile of D columns lie D + 8 elements apart: eight rows' 16 bytes lie in other banks.
__host__ __device__ constexpr int pitch(int columns) { return columns + 8; }
/// Bytes of a tile in shared memory.
__host__ __device__ constexpr std::size_t tileBytes(int rows, int columns) {
    return sizeof(Bf16) * static_cast<std::size_t>(rows * pitch(columns));
}

/// Elements [c, c + 8) of one row of a head; zeros beyond headDim.
__device__ __forceinline__ Pack<Bf16, 8> loadEight(const Bf16* row, int c,
                                                   const AttentionView& view) {
    Pack<Bf16, 8> values{};
    if (view.wide) {
        if (c < view.headDim) values = loadPack<8>(row + c);
    } else {
        for (int k = 0; k < 8; ++k)
            if (c + k < view.headDim) values.at[k] = row[c + k];
    }
    return values;
}

/// Rows [first, first + Rows) of one head; zeros from row `end` on, beyond headDim and where the
/// mask hides the row.
template <int Rows, int D>
__device__ __forceinline__ void loadTile(Bf16* into, const Bf16* from, const AttentionView& view,
                                         std::int64_t first, std::int64_t end,
                                         const std::uint8_t* mask) {
    constexpr int kStep = kMmaThreads / (D / 8);  // rows that the block moves together
    constexpr int kAtOnce = Rows / kStep < 4 ? Rows / kStep : 4;
    static_assert(Rows % (kStep * kAtOnce) == 0);
    const int c = threadRank() % (D / 8) * 8;
    int row = threadRank() / (D / 8);
    for (int begin = 0; begin < Rows; begin += kStep * kAtOnce) {
        Pack<Bf16, 8> values[kAtOnce];
        for (int n = 0; n < kAtOnce; ++n) {
            const std::int64_t at = first + row + n * kStep;
            values[n] = {};
            if (at < end && (mask == nullptr || mask[at] != 0))
                values[n] = loadEight(from + at * view.stride(), c, view);
        }
        for (int n = 0; n < kAtOnce; ++n, row += kStep)
            storePack<8>(into + row * pitch(D) + c, values[n]);
    }
}

/// sums += the warp's 16 rows of a times rows [0, N) of b, both D wide, in shared memory.
template <int N, int D>
__device__ __forceinline__ void addDots(float (&sums)[N / 8][4], const Bf16* a, const Bf16* b) {
    const int lane = laneRank();
    const Bf16* rows = a + lane % 16 * pitch(D) + lane / 16 * 8;
    const Bf16* columns = b + (lane / 16 * 8 + lane % 8) * pitch(D) + lane / 8 % 2 * 8;
    for (int d = 0; d < D; d += 16) {
        std::uint32_t x[4];
        loadMatrices(x, rows + d);
        for (int n = 0; n < N; n += 16) {
            std::uint32_t y[4];
            loadMatrices(y, columns + n * pitch(D) + d);
            mmaBf16(sums[n / 8], x, {y[0], y[1]});
            mmaBf16(sums[n / 8 + 1], x, {y[2], y[3]});
        }
    }
}

/// The warp's tile [16, N], rounded, as the left side of the next product: what a lane holds of two
/// results of 8 columns is what it has to hold of an operand of 16.
template <int N>
struct Rounded {
    std::uint32_t at[N / 16][4];

    __device__ explicit Rounded(const float (&values)[N / 8][4]) {
        for (int n = 0; n < N / 16; ++n)
            for (int k = 0; k < 2; ++k) {
                const auto& from = values[2 * n + k];
                at[n][2 * k] = packBf16(from[0], from[1]);
                at[n][2 * k + 1] = packBf16(from[2], from[3]);
            }
    }
};

/// sums[k] += p[k] [16, N] times columns [0, C) of b [N, D] in shared memory.
template <int N, int C, int D, int K>
__device__ __forceinline__ void addRows(float (&sums)[K][C / 8][4], const Rounded<N> (&p)[K],
                                        const Bf16* b) {
    const Bf16* rows = b + laneRank() % 16 * pitch(D) + laneRank() / 16 * 8;
    for (int n = 0; n < N; n += 16)
        for (int c = 0; c < C; c += 16) {
            std::uint32_t y[4];
            loadMatricesTransposed(y, rows + n * pitch(D) + c);
            for (int k = 0; k < K; ++k) {
                mmaBf16(sums[k][c / 8], p[k].at[n / 16], {y[0], y[1]});
                mmaBf16(sums[k][c / 8 + 1], p[k].at[n / 16], {y[2], y[3]});
            }
        }
}

/// Columns [column, column + C) of the warp's rows from `first` on, times factors[half] for its
/// upper and lower eight rows.
template <int C>
__device__ __forceinline__ void storeRows(Bf16* into, const float (&sums)[C / 8][4],
                                          const AttentionView& view, std::int64_t first,
                                          std::int64_t end, int column, float upper, float lower) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const std::int64_t row = first + laneRank() / 4 + 8 * half;
        if (row >= end) continue;
        Bf16* at = into + row * view.stride();
        const float factor = half == 0 ? upper : lower;
        for (int n = 0; n < C / 8; ++n) {
            const int c = column + 8 * n + laneRank() % 4 * 2;
            Pack<float, 2> pair{{sums[n][2 * half] * factor, sums[n][2 * half + 1] * factor}};
            if (view.wide) {
                if (c < view.headDim) storeFloats<2>(at + c, pair);
            } else {
                for (int k = 0; k < 2; ++k)
                    if (c + k < view.headDim) at[c + k] = fromFloat<Bf16>(pair.at[k]);
            }
        }
    }
}

/// The sum, or the largest, of a row over the four lanes that hold it.
__device__ __forceinline__ float rowSum(float x) {
    x += __shfl_xor_sync(kFullWarp, x, 1);
    return x + __shfl_xor_sync(kFullWarp, x, 2);
}
__device__ __forceinline__ float rowLargest(float x) {
    x = fmaxf(x, __shfl_xor_sync(kFullWarp, x, 1));
    return fmaxf(x, __shfl_xor_sync(kFullWarp, x, 2));
}

/// Places along a sequence are ints: two registers less each.
__device__ __forceinline__ int seenBelow(const AttentionView& view, std::int64_t head, int end) {
    return static_cast<int>(view.seenBelow(head / view.heads, end));
}

/// 64 queries of a head, from `top` on.
struct QueryBlock {
    std::int64_t head;
    int top;
    int query;   ///< the warp's first
    int row[2];  ///< the lane's
    int seen;    ///< keys that some query of the block sees, at most
    int seenByWarp;

    __device__ QueryBlock(const AttentionView& view, std::int64_t headOf, int topOf)
        : head(headOf),
          top(topOf),
          query(top + warpRank() * kWarpRows),
          row{query + laneRank() / 4, query + laneRank() / 4 + 8},
          seen(seenBelow(view, head, top + kOwnRows)),
          seenByWarp(query < view.queries ? seenBelow(view, head, query + kWarpRows) : 0) {}

    /// The block's of a grid of one a tile and head: the last queries see the most keys and begin
    /// first.
    __device__ static QueryBlock ofGrid(const AttentionView& view) {
        const int tiles = static_cast<int>((view.queries + kOwnRows - 1) / kOwnRows);
        const int block = static_cast<int>(blockIdx.x);
        return {view, block / tiles, (tiles - 1 - block % tiles) * kOwnRows};
    }
};

/// A warp's scores: 16 queries (rows) against N keys (columns), or, with Transposed, 16 keys
/// against N queries. Element [n][i] is what a lane holds of columns [8 n, 8 n + 8).
template <int N, bool Transposed>
struct Scores {
    static_assert(N <= 64, "a bit for each element");
    const AttentionView& view;
    std::int64_t head;
    int query;  ///< the first one
    int key;

    __device__ static int row(int i) { return laneRank() / 4 + i / 2 * 8; }
    __device__ static int column(int n, int i) { return 8 * n + laneRank() % 4 * 2 + i % 2; }
    __device__ static int queryOf(int n, int i) { return Transposed ? column(n, i) : row(i); }
    __device__ static int keyOf(int n, int i) { return Transposed ? row(i) : column(n, i); }

    /// Bit 4 n + i: whether the query sees the key.
    __device__ std::uint32_t seen() const {
        constexpr int kQueries = Transposed ? N : kWarpRows;
        constexpr int kKeys = Transposed ? kWarpRows : N;
        const auto within = [](std::int64_t limit) {
            constexpr std::int64_t kMost = 1 << 16;
            return static_cast<int>(limit < -kMost ? -kMost : limit > kMost ? kMost : limit);
        };
        const int queries = within(view.queries - query);
        const int keys = within(view.keys - key);
        const int sight = within(query + view.sight - key);
        if (view.mask == nullptr && queries >= kQueries && keys >= kKeys && sight >= kKeys)
            return ~0U;
        const std::uint8_t* mask =
            view.mask == nullptr ? nullptr : view.maskOf(head / view.heads) + key;
        std::uint32_t bits = 0;
#pragma unroll 1
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i) {
                const int q = queryOf(n, i);
                const int k = keyOf(n, i);
                if (q < queries && k < keys && k < q + sight && (mask == nullptr || mask[k] != 0))
                    bits |= 1U << (4 * n + i);
            }
        return bits;
    }

    /// From products: times the scale, plus the bias, -infinity where the key is not seen.
    __device__ void finish(float (&dots)[N / 8][4]) const {
        const std::uint32_t bits = seen();
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i) dots[n][i] = __fmul_rn(dots[n][i], view.scale);
        if (view.bias != nullptr) {
            // What is not seen reads the tile's first element, which is there: loads without
            // branches, which need not wait for each other.
            const float* bias =
                view.bias + (head % view.heads * view.queries + query) * view.keys + key;
            const auto keys = static_cast<int>(view.keys);
            for (int n = 0; n < N / 8; ++n)
                for (int i = 0; i < 4; ++i) {
                    const int at = queryOf(n, i) * keys + keyOf(n, i);
                    const bool isSeen = (bits >> (4 * n + i) & 1U) != 0;
                    dots[n][i] = __fadd_rn(dots[n][i], bias[isSeen ? at : 0]);
                }
        }
        if (bits == ~0U) return;
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i)
                if ((bits >> (4 * n + i) & 1U) == 0) dots[n][i] = -INFINITY;
    }

    /// Bit 4 n + i: whether dropout keeps the element. Every lane asks for four neighbouring keys
    /// of one query and gives the other lanes that hold some of them their answers.
    __device__ std::uint32_t kept() const {
        if (view.drop.threshold == 0) return ~0U;
        std::uint32_t bits = 0;
        const int lane = laneRank();
        const int asker = Transposed ? lane / 4 % 4 : lane % 2;
#pragma unroll 1
        for (int n = 0; n < N / 8; ++n) {
            // Transposed: the four lanes with neighbouring keys, one for each i. Else: the two
            // lanes with a row's four keys, one for each half of the rows.
            const int i = Transposed ? asker : 2 * asker;
            const int q = Transposed ? 8 * n + lane % 4 * 2 + i % 2 : row(i);
            const int k = Transposed ? lane / 16 * 4 + i / 2 * 8 : 8 * n + lane % 4 / 2 * 4;
            const std::int64_t element = (head * view.queries + query + q) * view.keys + key + k;
            const KeptFour four = keptFour(view.drop, static_cast<std::uint64_t>(element));
            std::uint32_t answers = 0;
            for (int j = 0; j < 4; ++j) answers |= four.at[j] ? 1U << j : 0U;
            std::uint32_t mine = 0;
            if (Transposed) {
                for (int j = 0; j < 4; ++j)
                    mine |= (__shfl_sync(kFullWarp, answers, lane + 4 * (j - asker)) >> asker & 1U)
                            << j;
            } else {
                const std::uint32_t others = __shfl_xor_sync(kFullWarp, answers, 1);
                const std::uint32_t upper = asker == 0 ? answers : others;
                const std::uint32_t lower = asker == 0 ? others : answers;
                mine = (upper >> 2 * asker & 3U) | (lower >> 2 * asker & 3U) << 2U;
            }
            bits |= mine << 4 * n;
        }
        return bits;
    }
};

}  // namespace gpu
