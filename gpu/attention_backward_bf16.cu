// SPDX-License-Identifier: Apache-2.0
#include "gpu/attention_bf16.h"
#include "gpu/device/attention_mma.cuh"
#include "gpu/device/shared.cuh"

namespace gpu {
namespace {

/// Blocks that an SM should hold at least: three leave a thread 168 registers, two 255.
constexpr int blocksWanted(int columns) { return columns <= 64 ? 3 : 2; }

/// The shared memory of a block: 64 rows of its own and N others, each with two operands.
template <int D, int N>
struct Operands {
    static constexpr std::size_t kBytes = tileBytes(2 * (kOwnRows + N), D);
    Bf16* own[2];
    Bf16* other[2];

    __device__ explicit Operands(Bf16* shared)
        : own{shared, shared + kOwnRows * pitch(D)},
          other{own[1] + kOwnRows * pitch(D), own[1] + (kOwnRows + N) * pitch(D)} {}

    /// Where the warp's own rows begin.
    const __device__ Bf16* ofWarp(int which) const {
        return own[which] + warpRank() * kWarpRows * pitch(D);
    }
};

/// Queries and dOuts, or keys and values, from row `first` of a head on.
template <int Rows, int D>
__device__ void loadQueries(Bf16* const (&into)[2], const Inputs<Bf16>& in,
                            const AttentionView& view, std::int64_t head, std::int64_t first) {
    const std::int64_t at = view.queryAt(head);
    loadTile<Rows, D>(into[0], in.q + at, view, first, view.queries, nullptr);
    loadTile<Rows, D>(into[1], in.dOut + at, view, first, view.queries, nullptr);
}
template <int Rows, int D>
__device__ void loadKeys(Bf16* const (&into)[2], const Inputs<Bf16>& in, const AttentionView& view,
                         std::int64_t head, std::int64_t first) {
    const std::int64_t at = view.keyAt(head);
    const std::uint8_t* mask = view.maskOf(head / view.heads);
    loadTile<Rows, D>(into[0], in.k + at, view, first, view.keys, mask);
    loadTile<Rows, D>(into[1], in.v + at, view, first, view.keys, mask);
}

/// A warp's probabilities, as far as logSumExp is exact, and their gradients less the shift.
template <int N>
struct Slopes {
    float p[N / 8][4] = {};
    float dP[N / 8][4] = {};
    std::uint32_t kept = 0;  ///< Scores::kept

    /// rowOf(n, i): the Row of an element's query.
    template <int D, bool Transposed, typename RowOf>
    __device__ Slopes(const Operands<D, N>& operands, const Scores<N, Transposed>& scores,
                      RowOf rowOf) {
        addDots<N, D>(p, operands.ofWarp(0), operands.other[0]);
        addDots<N, D>(dP, operands.ofWarp(1), operands.other[1]);
        scores.finish(p);
        kept = scores.kept();
        const float factor = scores.view.drop.factor;
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i) {
                const Row row = rowOf(n, i);
                p[n][i] = __expf(p[n][i] - row.logSumExp);
                dP[n][i] = (isKept(n, i) ? dP[n][i] * factor : 0.0F) - row.shift;
            }
    }

    __device__ bool isKept(int n, int i) const { return (kept >> (4 * n + i) & 1U) != 0; }
};

/// dOut . o of a query, in the four lanes that hold its row.
__device__ float shiftOf(const Inputs<Bf16>& in, const AttentionView& view, std::int64_t head,
                         std::int64_t query) {
    float sum = 0.0F;
    if (query < view.queries) {
        const std::int64_t at = view.queryAt(head) + query * view.stride();
        for (int c = laneRank() % 4 * 8; c < view.headDim; c += 32) {
            const auto slope = loadEight(in.dOut + at, c, view);
            const auto out = loadEight(in.o + at, c, view);
            for (int k = 0; k < 8; ++k) sum += toFloat(slope.at[k]) * toFloat(out.at[k]);
        }
    }
    return rowSum(sum);
}

/// C columns of dq for 64 queries of a head (blockIdx.y: which of D), and their RowSums, which are
/// known at the end of the sweep over the keys: with p not yet normalised dq = scale norm (sum of
/// p (dP - shift) k - mean sum of p k).
template <int D, int C, int N>
__global__ void __launch_bounds__(kMmaThreads, blocksWanted(D))
    queryGradientsOnTensorCores(Bf16* dq, RowSums sums, Inputs<Bf16> in, AttentionView view) {
    const Operands<D, N> operands(blockShared<Bf16>());
    const QueryBlock block = QueryBlock::ofGrid(view);
    const int column = static_cast<int>(blockIdx.y) * C;

    loadQueries<kOwnRows, D>(operands.own, in, view, block.head, block.top);
    Row rows[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        rows[half].shift = shiftOf(in, view, block.head, block.row[half]);
        if (block.row[half] < view.queries)
            rows[half].logSumExp = sums.logSumExp[block.head * view.queries + block.row[half]];
    }
    float total[2] = {};
    float inner[2] = {};
    float out[2][C / 8][4] = {};  // sums of p (dP - shift) k and of p k
    for (int first = 0; first < block.seen; first += N) {
        __syncthreads();
        loadKeys<N, D>(operands.other, in, view, block.head, first);
        __syncthreads();
        if (first >= block.seenByWarp) continue;
        Slopes<N> slopes(operands, Scores<N, false>{view, block.head, block.query, first},
                         [&](int, int i) { return rows[i / 2]; });
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i) {
                slopes.dP[n][i] *= slopes.p[n][i];
                total[i / 2] += slopes.p[n][i];
                inner[i / 2] += slopes.dP[n][i];
            }
        addRows<N, C, D>(out, {Rounded<N>(slopes.dP), Rounded<N>(slopes.p)},
                         operands.other[0] + column);
    }
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float sum = rowSum(total[half]);
        rows[half].norm = sum == 0.0F ? 0.0F : 1.0F / sum;
        rows[half].mean = rowSum(inner[half]) * rows[half].norm;
        if (blockIdx.y == 0 && laneRank() % 4 == 0 && block.row[half] < view.queries) {
            const std::int64_t at = block.head * view.queries + block.row[half];
            sums.shift[at] = rows[half].shift;
            sums.norm[at] = rows[half].norm;
            sums.mean[at] = rows[half].mean;
        }
    }
    for (int n = 0; n < C / 8; ++n)
        for (int i = 0; i < 4; ++i) out[0][n][i] -= __fmul_rn(rows[i / 2].mean, out[1][n][i]);
    storeRows<C>(dq + view.queryAt(block.head), out[0], view, block.query, view.queries, column,
                 rows[0].norm * view.scale, rows[1].norm * view.scale);
}

/// C columns of dk and dv for 64 keys of a head, over the tiles of queries that see them, in order:
/// a warp has the scores of its 16 keys, transposed, as the left side of both products. A row of
/// dScores cancels before it is rounded to bf16; what rounding leaves is as small as dk's own.
template <int D, int C, int N>
__global__ void __launch_bounds__(kMmaThreads, blocksWanted(D))
    keyGradientsOnTensorCores(Bf16* dk, Bf16* dv, RowSums sums, Inputs<Bf16> in,
                              AttentionView view) {
    const Operands<D, N> operands(blockShared<Bf16>());
    Row* rows = reinterpret_cast<Row*>(operands.other[1] + N * pitch(D));
    const int count = static_cast<int>((view.keys + kOwnRows - 1) / kOwnRows);
    const int first = static_cast<int>(blockIdx.x) % count * kOwnRows;
    const std::int64_t head = static_cast<int>(blockIdx.x) / count;
    const int key = first + warpRank() * kWarpRows;  // the warp's first
    const int column = static_cast<int>(blockIdx.y) * C;
    const int queries = static_cast<int>(view.queries);
    const bool shown = first < seenBelow(view, head, queries);
    const auto sees =
        static_cast<int>(first - view.sight + 1);  // the first query that sees one of them

    loadKeys<kOwnRows, D>(operands.own, in, view, head, first);
    float keyOut[1][C / 8][4] = {};
    float valueOut[1][C / 8][4] = {};
    for (int top = sees > 0 ? sees / N * N : 0; shown && top < queries; top += N) {
        __syncthreads();
        loadQueries<N, D>(operands.other, in, view, head, top);
        if (threadRank() < N) rows[threadRank()] = rowOf(sums, view, head, top + threadRank());
        __syncthreads();
        if (key >= seenBelow(view, head, top + N)) continue;
        using Transposed = Scores<N, true>;
        const auto row = [&](int n, int i) { return rows[Transposed::queryOf(n, i)]; };
        Slopes<N> slopes(operands, Transposed{view, head, top, key}, row);
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i) {
                slopes.p[n][i] *= row(n, i).norm;
                slopes.dP[n][i] = slopes.p[n][i] * (slopes.dP[n][i] - row(n, i).mean);
                if (!slopes.isKept(n, i)) slopes.p[n][i] = 0.0F;
            }
        addRows<N, C, D>(valueOut, {Rounded<N>(slopes.p)}, operands.other[1] + column);
        addRows<N, C, D>(keyOut, {Rounded<N>(slopes.dP)}, operands.other[0] + column);
    }
    storeRows<C>(dk + view.keyAt(head), keyOut[0], view, key, view.keys, column, view.scale,
                 view.scale);
    storeRows<C>(dv + view.keyAt(head), valueOut[0], view, key, view.keys, column, view.drop.factor,
                 view.drop.factor);
}

/// dBias of one head, 64 queries and N keys: summed over the batch in its order, then added.
template <int D, int N>
__global__ void __launch_bounds__(kMmaThreads, blocksWanted(D))
    biasGradientsOnTensorCores(float* dBias, RowSums sums, Inputs<Bf16> in, AttentionView view,
                               std::int64_t batch) {
    const Operands<D, N> operands(blockShared<Bf16>());
    const int across = static_cast<int>((view.keys + N - 1) / N);
    const int down = static_cast<int>((view.queries + kOwnRows - 1) / kOwnRows);
    const int place = static_cast<int>(blockIdx.x);
    const int first = place % across * N;
    const int top = place / across % down * kOwnRows;
    const std::int64_t headOfEntry = place / across / down;

    float all[N / 8][4] = {};
    for (std::int64_t entry = 0; entry < batch; ++entry) {
        const QueryBlock block(view, entry * view.heads + headOfEntry, top);
        if (first >= block.seen) continue;
        __syncthreads();
        loadQueries<kOwnRows, D>(operands.own, in, view, block.head, top);
        loadKeys<N, D>(operands.other, in, view, block.head, first);
        __syncthreads();
        if (first >= block.seenByWarp) continue;
        const Row rows[2] = {rowOf(sums, view, block.head, block.row[0]),
                             rowOf(sums, view, block.head, block.row[1])};
        const Slopes<N> slopes(operands, Scores<N, false>{view, block.head, block.query, first},
                               [&](int, int i) { return rows[i / 2]; });
        for (int n = 0; n < N / 8; ++n)
            for (int i = 0; i < 4; ++i)
                all[n][i] +=
                    slopes.p[n][i] * rows[i / 2].norm * (slopes.dP[n][i] - rows[i / 2].mean);
    }
    for (int n = 0; n < N / 8; ++n)
        for (int i = 0; i < 4; ++i) {
            const std::int64_t query = top + warpRank() * kWarpRows + Scores<N, false>::row(i);
            const std::int64_t key = first + Scores<N, false>::column(n, i);
            if (query < view.queries && key < view.keys)
                dBias[(headOfEntry * view.queries + query) * view.keys + key] += all[n][i];
        }
}

dim3 blocks(std::int64_t count, int pieces = 1) {
    return dim3(static_cast<unsigned>(count), static_cast<unsigned>(pieces));
}

}  // namespace

void attentionGradientsBf16(cudaStream_t stream, const core::Tensor& dq, const core::Tensor& dk,
                            const core::Tensor& dv, float* dBias, const RowSums& sums,
                            const Inputs<Bf16>& in, const core::AttentionShape& shape,
                            const AttentionView& view) {
    const std::int64_t heads = shape.batch * shape.heads;
    const std::int64_t queryBlocks = divideUp(shape.queries, kOwnRows);
    withMmaWidth(shape.headDim, [&]<int D>() {
        // Two sums [16, C] and two tiles of scores in a warp's registers, without spilling.
        constexpr int kColumns = D > 128 ? 128 : D;
        constexpr int kPieces = D / kColumns;
        constexpr int kKeys = D > 64 ? 16 : 32;
        constexpr int kOthers = D == 256 ? 16 : 32;
        launch(stream, queryGradientsOnTensorCores<D, kColumns, kKeys>,
               blocks(heads * queryBlocks, kPieces), dim3(kMmaThreads), Operands<D, kKeys>::kBytes,
               data<Bf16>(dq), sums, in, view);
        launch(stream, keyGradientsOnTensorCores<D, kColumns, kOthers>,
               blocks(heads * divideUp(shape.keys, kOwnRows), kPieces), dim3(kMmaThreads),
               Operands<D, kOthers>::kBytes + kOthers * sizeof(Row), data<Bf16>(dk), data<Bf16>(dv),
               sums, in, view);
        if (dBias != nullptr)
            launch(stream, biasGradientsOnTensorCores<D, kOthers>,
                   blocks(shape.heads * queryBlocks * divideUp(shape.keys, kOthers)),
                   dim3(kMmaThreads), Operands<D, kOthers>::kBytes, dBias, sums, in, view,
                   shape.batch);
    });
}

}  // namespace gpu
