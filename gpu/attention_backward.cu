// SPDX-License-Identifier: Apache-2.0
#include "gpu/attention_view.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/shared.cuh"
#include "gpu/scratch_layout.h"

namespace gpu {
namespace {

/// What the forward pass left of each query, [batch, heads, queries], and what the first sweep
/// over its keys finds: 1 / the sum of exp(score - logSumExp), and the mean of dP under these
/// probabilities. Probabilities add up to 1 and the mean is that of these very numbers, so that a
/// row of dScores cancels: the gradient of the keys' bias is nothing but such rows' sums.
struct RowSums {
    const float* logSumExp;
    float* norm;
    float* mean;
};

template <typename T>
struct Inputs {
    const T* q;
    const T* k;
    const T* v;
    const T* dOut;
};

/// The shared memory of a block: BM queries against BN keys.
template <int D, int BM, int BN>
struct Tiles {
    static constexpr std::size_t kBytes =
        sizeof(float) * (2 * (BM + BN) * padded(D) + 2 * BM * padded(BN));
    float* queries;
    float* dOuts;
    float* keys;
    float* values;
    float* scores;   ///< [BM, BN]: products of queries and keys, then probabilities
    float* dScores;  ///< [BM, BN]: products of dOuts and values, then gradients of the scores

    __device__ explicit Tiles(float* shared)
        : queries(shared),
          dOuts(queries + BM * padded(D)),
          keys(dOuts + BM * padded(D)),
          values(keys + BN * padded(D)),
          scores(values + BN * padded(D)),
          dScores(scores + BM * padded(BN)) {}

    template <typename T>
    __device__ void loadQueries(const Inputs<T>& in, const AttentionView& view, std::int64_t head,
                                std::int64_t top) {
        const std::int64_t at = view.queryAt(head);
        loadTile<BM, D>(queries, in.q + at, view, top, view.queries, nullptr);
        loadTile<BM, D>(dOuts, in.dOut + at, view, top, view.queries, nullptr);
    }

    template <typename T>
    __device__ void loadKeys(const Inputs<T>& in, const AttentionView& view, std::int64_t head,
                             std::int64_t first) {
        const std::int64_t at = view.keyAt(head);
        const std::uint8_t* mask = view.maskOf(head / view.heads);
        loadTile<BN, D>(keys, in.k + at, view, first, view.keys, mask);
        loadTile<BN, D>(values, in.v + at, view, first, view.keys, mask);
    }

    /// Both products, between barriers: the tiles were loaded just before.
    __device__ void multiply() {
        __syncthreads();
        float dots[BM / kSide][BN / kSide] = {};
        addDots<BM / kSide, BN / kSide, D>(dots, queries, keys);
        storeTile(scores, dots);
        float slopes[BM / kSide][BN / kSide] = {};
        addDots<BM / kSide, BN / kSide, D>(slopes, dOuts, values);
        storeTile(dScores, slopes);
        __syncthreads();
    }
};

/// Four probabilities of a query, unless their sum is not 1 (RowSums), and their gradients.
struct Quad {
    Pack<float, 4> p;
    Pack<float, 4> dP;
};

template <int D, int BM, int BN>
__device__ Quad quadOf(const Tiles<D, BM, BN>& tiles, const AttentionView& view, std::int64_t head,
                       std::int64_t query, std::int64_t first, int column, float logSumExp) {
    const int at = RowThreads<BM, BN>::row() * padded(BN) + column;
    Quad quad{scoresOf(loadPack<4>(tiles.scores + at), view, head, query, first + column),
              dropped(loadPack<4>(tiles.dScores + at), view, head, query, first + column)};
    for (int i = 0; i < 4; ++i) quad.p.at[i] = expf(quad.p.at[i] - logSumExp);
    return quad;
}

/// dq for BM queries of a head, in two sweeps over their keys, and their RowSums.
template <typename T, int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    queryGradients(T* dq, RowSums sums, Inputs<T> in, AttentionView view) {
    using Rows = RowThreads<BM, BN>;
    Tiles<D, BM, BN> tiles(blockShared<float>());
    const std::int64_t count = (view.queries + BM - 1) / BM;
    const std::int64_t top = (count - 1 - blockIdx.x % count) * BM;
    const std::int64_t head = blockIdx.x / count;
    const std::int64_t seen = view.seenBelow(head / view.heads, top + BM);
    const std::int64_t query = top + Rows::row();
    const bool here = query < view.queries;
    const std::int64_t at = head * view.queries + query;
    const float logSumExp = here ? sums.logSumExp[at] : 0.0F;

    tiles.loadQueries(in, view, head, top);
    float total = 0.0F;
    float inner = 0.0F;
    for (std::int64_t first = 0; first < seen; first += BN) {
        tiles.loadKeys(in, view, head, first);
        tiles.multiply();
        Rows::forQuads([&](int c) {
            const Quad quad = quadOf(tiles, view, head, query, first, c, logSumExp);
            for (int i = 0; i < 4; ++i) {
                total += quad.p.at[i];
                inner += quad.p.at[i] * quad.dP.at[i];
            }
        });
    }
    total = Rows::sum(total);
    const float norm = total == 0.0F ? 0.0F : 1.0F / total;
    const float mean = Rows::sum(inner) * norm;
    if (here && Rows::rank() == 0) {
        sums.norm[at] = norm;
        sums.mean[at] = mean;
    }
    float out[BM / kSide][D / kSide] = {};
    for (std::int64_t first = 0; first < seen; first += BN) {
        __syncthreads();
        tiles.loadKeys(in, view, head, first);
        tiles.multiply();
        Rows::forQuads([&](int c) {
            Quad quad = quadOf(tiles, view, head, query, first, c, logSumExp);
            for (int i = 0; i < 4; ++i)
                quad.dP.at[i] =
                    quad.p.at[i] * norm * (quad.dP.at[i] - mean) * view.scale;
            storePack<4>(tiles.dScores + Rows::row() * padded(BN) + c, quad.dP);
        });
        __syncthreads();
        addRows<BM / kSide, BN, D>(out, tiles.dScores, tiles.keys);
    }
    storeRows<BM / kSide, D>(dq + view.queryAt(head), out, view, top, view.queries, nullptr);
}

/// dk and dv for BN keys of a head, over the tiles of queries that see them, in order.
template <typename T, int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    keyGradients(T* dk, T* dv, RowSums sums, Inputs<T> in, AttentionView view) {
    using Rows = RowThreads<BM, BN>;
    Tiles<D, BM, BN> tiles(blockShared<float>());
    const std::int64_t count = (view.keys + BN - 1) / BN;
    const std::int64_t first = blockIdx.x % count * BN;
    const std::int64_t head = blockIdx.x / count;
    const bool shown = first < view.seenBelow(head / view.heads, view.queries);
    const std::int64_t sees = first - view.sight + 1;  // the first query that sees one of them

    tiles.loadKeys(in, view, head, first);
    float keyOut[BN / kSide][D / kSide] = {};
    float valueOut[BN / kSide][D / kSide] = {};
    for (std::int64_t top = sees > 0 ? sees / BM * BM : 0; shown && top < view.queries;
         top += BM) {
        __syncthreads();
        tiles.loadQueries(in, view, head, top);
        tiles.multiply();
        const std::int64_t query = top + Rows::row();
        const bool here = query < view.queries;
        const std::int64_t at = head * view.queries + query;
        const float logSumExp = here ? sums.logSumExp[at] : 0.0F;
        const float norm = here ? sums.norm[at] : 0.0F;
        const float mean = here ? sums.mean[at] : 0.0F;
        Rows::forQuads([&](int c) {
            Quad quad = quadOf(tiles, view, head, query, first, c, logSumExp);
            for (int i = 0; i < 4; ++i) {
                quad.p.at[i] *= norm;
                quad.dP.at[i] = quad.p.at[i] * (quad.dP.at[i] - mean) * view.scale;
            }
            const int place = Rows::row() * padded(BN) + c;
            storePack<4>(tiles.scores + place, dropped(quad.p, view, head, query, first + c));
            storePack<4>(tiles.dScores + place, quad.dP);
        });
        __syncthreads();
        addColumns<BN / kSide, BM, D>(valueOut, tiles.scores, tiles.dOuts);
        addColumns<BN / kSide, BM, D>(keyOut, tiles.dScores, tiles.queries);
    }
    storeRows<BN / kSide, D>(dk + view.keyAt(head), keyOut, view, first, view.keys, nullptr);
    storeRows<BN / kSide, D>(dv + view.keyAt(head), valueOut, view, first, view.keys, nullptr);
}

/// dBias of one head, BM queries and BN keys: summed over the batch in its order, then added.
template <typename T, int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    biasGradients(float* dBias, RowSums sums, Inputs<T> in, AttentionView view,
                  std::int64_t batch) {
    using Rows = RowThreads<BM, BN>;
    Tiles<D, BM, BN> tiles(blockShared<float>());
    const std::int64_t across = (view.keys + BN - 1) / BN;
    const std::int64_t down = (view.queries + BM - 1) / BM;
    const std::int64_t first = blockIdx.x % across * BN;
    const std::int64_t top = blockIdx.x / across % down * BM;
    const std::int64_t headOfEntry = blockIdx.x / across / down;
    const std::int64_t query = top + Rows::row();
    const bool here = query < view.queries;

    float all[Rows::kQuads][4] = {};
    for (std::int64_t entry = 0; entry < batch; ++entry) {
        if (first >= view.seenBelow(entry, top + BM)) continue;
        const std::int64_t head = entry * view.heads + headOfEntry;
        __syncthreads();
        tiles.loadQueries(in, view, head, top);
        tiles.loadKeys(in, view, head, first);
        tiles.multiply();
        const std::int64_t at = head * view.queries + query;
        const float logSumExp = here ? sums.logSumExp[at] : 0.0F;
        const float norm = here ? sums.norm[at] : 0.0F;
        const float mean = here ? sums.mean[at] : 0.0F;
        for (int quad = 0; quad < Rows::kQuads; ++quad) {
            const int c = 4 * (quad * Rows::kPerRow + Rows::rank());
            if (c >= BN) continue;
            const Quad of = quadOf(tiles, view, head, query, first, c, logSumExp);
            for (int i = 0; i < 4; ++i)
                all[quad][i] += of.p.at[i] * norm * (of.dP.at[i] - mean);
        }
    }
    if (!here) return;
    float* row = dBias + (headOfEntry * view.queries + query) * view.keys;
    for (int quad = 0; quad < Rows::kQuads; ++quad) {
        const int c = 4 * (quad * Rows::kPerRow + Rows::rank());
        for (int i = 0; c < BN && i < 4; ++i)
            if (first + c + i < view.keys) row[first + c + i] += all[quad][i];
    }
}

dim3 blocks(std::int64_t count) { return dim3(static_cast<unsigned>(count)); }

}  // namespace

void CudaBackend::attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                                    const Tensor& q, const Tensor& k, const Tensor& v,
                                    const Tensor& /*o*/, const Tensor& logSumExp,
                                    const AttentionShape& shape, const AttentionOptions& options) {
    if (shape.batch == 0) return;
    const std::int64_t heads = shape.batch * shape.heads;
    ScratchLayout layout;
    const std::size_t shownAt = layout.place<std::int32_t>(shape.batch);
    const std::size_t normAt = layout.place<float>(heads * shape.queries);
    const std::size_t meanAt = layout.place<float>(heads * shape.queries);
    void* memory = scratch(layout.bytes());
    const AttentionView view =
        viewAttention(stream(), layoutPiece<std::int32_t>(memory, shownAt), shape, options,
                      {&dq, &dk, &dv, &dOut, &q, &k, &v});
    const RowSums sums{data<float>(logSumExp), layoutPiece<float>(memory, normAt),
                       layoutPiece<float>(memory, meanAt)};
    withHeadWidth(q.dtype(), shape.headDim, [&]<typename T, int D>() {
        // A side of 64 where 64 columns leave the room, for what a block sums up.
        constexpr int kFew = D == 256 ? 16 : 32;
        constexpr int kMany = D == 64 ? 64 : kFew;
        const Inputs<T> in{data<T>(q), data<T>(k), data<T>(v), data<T>(dOut)};
        launch(stream(), queryGradients<T, D, kMany, kFew>,
               blocks(heads * divideUp(shape.queries, kMany)), dim3(kAttentionThreads),
               Tiles<D, kMany, kFew>::kBytes, data<T>(dq), sums, in, view);
        launch(stream(), keyGradients<T, D, kFew, kMany>,
               blocks(heads * divideUp(shape.keys, kMany)), dim3(kAttentionThreads),
               Tiles<D, kFew, kMany>::kBytes, data<T>(dk), data<T>(dv), sums, in, view);
        if (dBias.defined())
            launch(stream(), biasGradients<T, D, kMany, kFew>,
                   blocks(shape.heads * divideUp(shape.queries, kMany) *
                          divideUp(shape.keys, kFew)),
                   dim3(kAttentionThreads), Tiles<D, kMany, kFew>::kBytes, data<float>(dBias), sums,
                   in, view, shape.batch);
    });
}

}  // namespace gpu
