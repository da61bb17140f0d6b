// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/kept_four.cuh"
#include "gpu/device/rows.cuh"

namespace gpu {

/// Threads of a block, 16 x 16 over every tile.
constexpr int kAttentionThreads = 256;
constexpr int kSide = 16;

/// One attention as all its kernels see it. Query i sees the keys below i + sight that the mask
/// shows; `shown` [batch] is the place behind the last one that it shows (null without a mask).
struct AttentionView {
    std::int64_t heads;
    std::int64_t queries;
    std::int64_t keys;
    std::int64_t keyRows;  ///< of k and v per batch entry
    std::int64_t sight;
    const float* bias;
    const std::uint8_t* mask;
    const std::int32_t* shown;
    DropoutRule drop;  ///< threshold 0: nothing is dropped
    float scale;
    int headDim;
    bool
        wide;  ///< every row of a head begins where 16 bytes can be moved together, and has no rest

    __device__ std::int64_t stride() const { return heads * headDim; }
    __device__ std::int64_t queryAt(std::int64_t head) const {
        return head / heads * queries * stride() + head % heads * headDim;
    }
    __device__ std::int64_t keyAt(std::int64_t head) const {
        return head / heads * keyRows * stride() + head % heads * headDim;
    }
    /// Keys that the queries below `end` of a batch entry see at most.
    __device__ std::int64_t seenBelow(std::int64_t entry, std::int64_t end) const {
        const std::int64_t last = end < queries ? end : queries;
        const std::int64_t all = shown == nullptr ? keys : shown[entry];
        return last - 1 + sight < all ? last - 1 + sight : all;
    }
    const __device__ std::uint8_t* maskOf(std::int64_t entry) const {
        return mask == nullptr ? nullptr : mask + entry * keys;
    }
};

/// Rows of a tile of D columns lie D + 4 floats apart: 16 bytes, other banks.
__host__ __device__ constexpr int padded(int columns) { return columns + 4; }

/// Rows [first, first + Rows) of one head as floats; zeros from row `end` on, beyond headDim and
/// where the mask hides the row.
template <int Rows, int D, typename T>
__device__ __forceinline__ void loadTile(float* into, const T* from, const AttentionView& view,
                                         std::int64_t first, std::int64_t end,
                                         const std::uint8_t* mask) {
    for (int i = threadRank(); i < Rows * D / 4; i += kAttentionThreads) {
        const int row = i / (D / 4);
        const int c = i % (D / 4) * 4;
        Pack<float, 4> values{};
        if (first + row < end && (mask == nullptr || mask[first + row] != 0)) {
            const T* at = from + (first + row) * view.stride() + c;
            if (view.wide) {
                if (c < view.headDim) values = loadFloats<4>(at);
            } else {
                for (int k = 0; k < 4; ++k)
                    if (c + k < view.headDim) values.at[k] = toFloat(at[k]);
            }
        }
        storePack<4>(into + row * padded(D) + c, values);
    }
}

/// sums[i][j] += row (TM * y + i) of a times row (x + 16 j) of b, both D wide; (x, y) is the
/// thread's place.
template <int TM, int TN, int D>
__device__ __forceinline__ void addDots(float (&sums)[TM][TN], const float* a, const float* b) {
    const float* rows = a + threadRank() / kSide * TM * padded(D);
    const float* columns = b + threadRank() % kSide * padded(D);
    for (int d = 0; d < D; d += 4) {
        Pack<float, 4> x[TM];
        for (int i = 0; i < TM; ++i) x[i] = loadPack<4>(rows + i * padded(D) + d);
        for (int j = 0; j < TN; ++j) {
            const auto y = loadPack<4>(columns + j * kSide * padded(D) + d);
            for (int i = 0; i < TM; ++i)
                for (int k = 0; k < 4; ++k) sums[i][j] += x[i].at[k] * y.at[k];
        }
    }
}

/// The tile [16 TM, 16 TN] of addDots.
template <int TM, int TN>
__device__ __forceinline__ void storeTile(float* into, const float (&sums)[TM][TN]) {
    float* at = into + threadRank() / kSide * TM * padded(kSide * TN) + threadRank() % kSide;
    for (int i = 0; i < TM; ++i)
        for (int j = 0; j < TN; ++j) at[i * padded(kSide * TN) + j * kSide] = sums[i][j];
}

/// sums[i][4 c + k] += row (TM * y + i) of p [16 TM, N] times column (64 c + 4 x + k) of v [N, D].
template <int TM, int N, int D>
__device__ __forceinline__ void addRows(float (&sums)[TM][D / kSide], const float* p,
                                        const float* v) {
    const float* rows = p + threadRank() / kSide * TM * padded(N);
    const float* columns = v + threadRank() % kSide * 4;
    for (int n = 0; n < N; n += 4) {
        Pack<float, 4> x[TM];
        for (int i = 0; i < TM; ++i) x[i] = loadPack<4>(rows + i * padded(N) + n);
        for (int k = 0; k < 4; ++k)
            for (int c = 0; c < D / 64; ++c) {
                const auto y = loadPack<4>(columns + (n + k) * padded(D) + 64 * c);
                for (int i = 0; i < TM; ++i)
                    for (int l = 0; l < 4; ++l) sums[i][4 * c + l] += x[i].at[k] * y.at[l];
            }
    }
}

/// sums[i][4 c + k] += column (TN * y + i) of p [M, 16 TN] times column (64 c + 4 x + k) of
/// q [M, D].
template <int TN, int M, int D>
__device__ __forceinline__ void addColumns(float (&sums)[TN][D / kSide], const float* p,
                                           const float* q) {
    const float* rows = p + threadRank() / kSide * TN;
    const float* columns = q + threadRank() % kSide * 4;
    for (int m = 0; m < M; ++m) {
        const auto x = loadPack<TN>(rows + m * padded(kSide * TN));
        for (int c = 0; c < D / 64; ++c) {
            const auto y = loadPack<4>(columns + m * padded(D) + 64 * c);
            for (int i = 0; i < TN; ++i)
                for (int l = 0; l < 4; ++l) sums[i][4 * c + l] += x.at[i] * y.at[l];
        }
    }
}

/// Rows [first, end) of one head from the sums of addRows or addColumns, times factors[row] where
/// there are any.
template <int TM, int D, typename T>
__device__ __forceinline__ void storeRows(T* into, const float (&sums)[TM][D / kSide],
                                          const AttentionView& view, std::int64_t first,
                                          std::int64_t end, const float* factors) {
    for (int i = 0; i < TM; ++i) {
        const int row = threadRank() / kSide * TM + i;
        if (first + row >= end) continue;
        const float factor = factors == nullptr ? 1.0F : factors[row];
        for (int c = 0; c < D / 64; ++c) {
            const int column = 64 * c + threadRank() % kSide * 4;
            T* at = into + (first + row) * view.stride() + column;
            Pack<float, 4> values;
            for (int k = 0; k < 4; ++k) values.at[k] = sums[i][4 * c + k] * factor;
            if (view.wide) {
                if (column < view.headDim) storeFloats<4>(at, values);
            } else {
                for (int k = 0; k < 4; ++k)
                    if (column + k < view.headDim) at[k] = fromFloat<T>(values.at[k]);
            }
        }
    }
}

/// The view of a tile of scores [BM, BN] in which 256 / BM neighbouring threads have a row, four
/// columns at a time.
template <int BM, int BN>
struct RowThreads {
    static constexpr int kPerRow = kAttentionThreads / BM;
    static constexpr int kQuads = BN > 4 * kPerRow ? BN / (4 * kPerRow) : 1;

    __device__ static int row() { return threadRank() / kPerRow; }
    __device__ static int rank() { return threadRank() % kPerRow; }

    /// body(c) for this thread's columns [c, c + 4).
    template <typename Body>
    __device__ static void forQuads(Body body) {
        for (int c = 4 * rank(); c < BN; c += 4 * kPerRow) body(c);
    }

    __device__ static float sum(float x) {
        for (int step = kPerRow / 2; step > 0; step /= 2) x += __shfl_xor_sync(kFullWarp, x, step);
        return x;
    }
    __device__ static float largest(float x) {
        for (int step = kPerRow / 2; step > 0; step /= 2)
            x = fmaxf(x, __shfl_xor_sync(kFullWarp, x, step));
        return x;
    }
};

/// The scores of a query and four keys from their products: times the scale, plus the bias,
/// -infinity where the key is not seen. Every rounding by itself, so that all passes have the same
/// bits.
__device__ __forceinline__ Pack<float, 4> scoresOf(const Pack<float, 4>& dots,
                                                   const AttentionView& view, std::int64_t head,
                                                   std::int64_t query, std::int64_t key) {
    const std::uint8_t* mask = view.maskOf(head / view.heads);
    const float* bias = view.bias == nullptr || query >= view.queries
                            ? nullptr
                            : view.bias + (head % view.heads * view.queries + query) * view.keys;
    Pack<float, 4> scores;
    for (int k = 0; k < 4; ++k) {
        const std::int64_t j = key + k;
        const bool seen =
            j < view.keys && j < query + view.sight && (mask == nullptr || mask[j] != 0);
        float score = __fmul_rn(dots.at[k], view.scale);
        if (seen && bias != nullptr) score = __fadd_rn(score, bias[j]);
        scores.at[k] = seen ? score : -INFINITY;
    }
    return scores;
}

/// What dropout leaves of four probabilities of a query, or of their gradients.
__device__ __forceinline__ Pack<float, 4> dropped(const Pack<float, 4>& values,
                                                  const AttentionView& view, std::int64_t head,
                                                  std::int64_t query, std::int64_t key) {
    if (view.drop.threshold == 0) return values;
    const KeptFour kept = keptFour(
        view.drop, static_cast<std::uint64_t>((head * view.queries + query) * view.keys + key));
    Pack<float, 4> left;
    for (int k = 0; k < 4; ++k) left.at[k] = kept.at[k] ? values.at[k] * view.drop.factor : 0.0F;
    return left;
}

}  // namespace gpu
