// SPDX-License-Identifier: Apache-2.0
#include "gpu/attention_bf16.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/attention_backward.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/scratch_layout.h"

namespace gpu {
namespace {

/// What the forward pass left of this thread's query; dOuts are in their tile.
template <int D, int BM, int BN>
__device__ Row savedRow(const Tiles<D, BM, BN>& tiles, const RowSums& sums, const Inputs<float>& in,
                        const AttentionView& view, std::int64_t head, std::int64_t query) {
    using Rows = RowThreads<BM, BN>;
    Row row{0.0F, 0.0F, 1.0F, 0.0F};
    if (query < view.queries) {
        const float* o = in.o + view.queryAt(head) + query * view.stride();
        const float* slope = tiles.dOuts + Rows::row() * padded(D);
        for (int d = Rows::rank(); d < view.headDim; d += Rows::kPerRow)
            row.shift += slope[d] * o[d];
        row.logSumExp = sums.logSumExp[head * view.queries + query];
    }
    row.shift = Rows::sum(row.shift);
    return row;
}

/// dq for BM queries of a head, and their RowSums, which are known at the end of the sweep over the
/// keys: with p not yet normalised dq = scale norm (sum of p (dP - shift) k - mean sum of p k).
template <int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    queryGradients(float* dq, RowSums sums, Inputs<float> in, AttentionView view) {
    using Rows = RowThreads<BM, BN>;
    constexpr int kTM = BM / kSide;
    Tiles<D, BM, BN> tiles(blockShared<float>());
    const std::int64_t count = (view.queries + BM - 1) / BM;
    const std::int64_t top = (count - 1 - blockIdx.x % count) * BM;
    const std::int64_t head = blockIdx.x / count;
    const std::int64_t seen = view.seenBelow(head / view.heads, top + BM);
    const std::int64_t query = top + Rows::row();

    tiles.loadQueries(in, view, head, top);
    __syncthreads();
    Row row = savedRow(tiles, sums, in, view, head, query);
    float total = 0.0F;
    float inner = 0.0F;
    float out[kTM][D / kSide] = {};
    float keySums[kTM][D / kSide] = {};
    for (std::int64_t first = 0; first < seen; first += BN) {
        __syncthreads();
        tiles.loadKeys(in, view, head, first);
        tiles.multiply();
        Rows::forQuads([&](int c) {
            Quad quad = quadOf(tiles, view, head, query, first, c, row);
            for (int i = 0; i < 4; ++i) {
                quad.dP.at[i] = __fmul_rn(quad.p.at[i], quad.dP.at[i]);
                total += quad.p.at[i];
                inner += quad.dP.at[i];
            }
            const int place = Rows::row() * padded(BN) + c;
            storePack<4>(tiles.scores + place, quad.p);
            storePack<4>(tiles.dScores + place, quad.dP);
        });
        __syncthreads();
        addRows<kTM, BN, D>(out, tiles.dScores, tiles.keys);
        addRows<kTM, BN, D>(keySums, tiles.scores, tiles.keys);
    }
    total = Rows::sum(total);
    row.norm = total == 0.0F ? 0.0F : 1.0F / total;
    row.mean = Rows::sum(inner) * row.norm;
    __syncthreads();
    float* means = tiles.scores;
    float* factors = tiles.dScores;
    if (Rows::rank() == 0) {
        means[Rows::row()] = row.mean;
        factors[Rows::row()] = row.norm * view.scale;
        if (query < view.queries) {
            const std::int64_t at = head * view.queries + query;
            sums.shift[at] = row.shift;
            sums.norm[at] = row.norm;
            sums.mean[at] = row.mean;
        }
    }
    __syncthreads();
    for (int i = 0; i < kTM; ++i)
        for (int c = 0; c < D / kSide; ++c)
            out[i][c] -= __fmul_rn(means[threadRank() / kSide * kTM + i], keySums[i][c]);
    storeRows<kTM, D>(dq + view.queryAt(head), out, view, top, view.queries, factors);
}

/// dk and dv for BN keys of a head, over the tiles of queries that see them, in order.
template <int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    keyGradients(float* dk, float* dv, RowSums sums, Inputs<float> in, AttentionView view) {
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
    for (std::int64_t top = sees > 0 ? sees / BM * BM : 0; shown && top < view.queries; top += BM) {
        __syncthreads();
        tiles.loadQueries(in, view, head, top);
        tiles.multiply();
        const std::int64_t query = top + Rows::row();
        const Row row = rowOf(sums, view, head, query);
        Rows::forQuads([&](int c) {
            Quad quad = quadOf(tiles, view, head, query, first, c, row);
            for (int i = 0; i < 4; ++i) {
                quad.p.at[i] *= row.norm;
                quad.dP.at[i] = quad.p.at[i] * (quad.dP.at[i] - row.mean) * view.scale;
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
template <int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    biasGradients(float* dBias, RowSums sums, Inputs<float> in, AttentionView view,
                  std::int64_t batch) {
    using Rows = RowThreads<BM, BN>;
    Tiles<D, BM, BN> tiles(blockShared<float>());
    const std::int64_t across = (view.keys + BN - 1) / BN;
    const std::int64_t down = (view.queries + BM - 1) / BM;
    const std::int64_t first = blockIdx.x % across * BN;
    const std::int64_t top = blockIdx.x / across % down * BM;
    const std::int64_t headOfEntry = blockIdx.x / across / down;
    const std::int64_t query = top + Rows::row();

    float all[Rows::kQuads][4] = {};
    for (std::int64_t entry = 0; entry < batch; ++entry) {
        if (first >= view.seenBelow(entry, top + BM)) continue;
        const std::int64_t head = entry * view.heads + headOfEntry;
        __syncthreads();
        tiles.loadQueries(in, view, head, top);
        tiles.loadKeys(in, view, head, first);
        tiles.multiply();
        const Row row = rowOf(sums, view, head, query);
        for (int quad = 0; quad < Rows::kQuads; ++quad) {
            const int c = 4 * (quad * Rows::kPerRow + Rows::rank());
            if (c >= BN) continue;
            const Quad of = quadOf(tiles, view, head, query, first, c, row);
            for (int i = 0; i < 4; ++i)
                all[quad][i] += of.p.at[i] * row.norm * (of.dP.at[i] - row.mean);
        }
    }
    if (query >= view.queries) return;
    float* into = dBias + (headOfEntry * view.queries + query) * view.keys;
    for (int quad = 0; quad < Rows::kQuads; ++quad) {
        const int c = 4 * (quad * Rows::kPerRow + Rows::rank());
        for (int i = 0; c < BN && i < 4; ++i)
            if (first + c + i < view.keys) into[first + c + i] += all[quad][i];
    }
}

dim3 blocks(std::int64_t count) { return dim3(static_cast<unsigned>(count)); }

}  // namespace

void CudaBackend::attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                                    const Tensor& q, const Tensor& k, const Tensor& v,
                                    const Tensor& o, const Tensor& logSumExp,
                                    const AttentionShape& shape, const AttentionOptions& options) {
    if (shape.batch == 0) return;
    const std::int64_t heads = shape.batch * shape.heads;
    ScratchLayout layout;
    const std::size_t shownAt = layout.place<std::int32_t>(shape.batch);
    const std::size_t shiftAt = layout.place<float>(heads * shape.queries);
    const std::size_t normAt = layout.place<float>(heads * shape.queries);
    const std::size_t meanAt = layout.place<float>(heads * shape.queries);
    void* memory = scratch(layout.bytes());
    const AttentionView view =
        viewAttention(stream(), layoutPiece<std::int32_t>(memory, shownAt), shape, options,
                      {&dq, &dk, &dv, &dOut, &q, &k, &v, &o});
    const RowSums sums{data<float>(logSumExp), layoutPiece<float>(memory, shiftAt),
                       layoutPiece<float>(memory, normAt), layoutPiece<float>(memory, meanAt)};
    if (q.dtype() == core::DType::BF16) {
        const Inputs<Bf16> in{data<Bf16>(q), data<Bf16>(k), data<Bf16>(v), data<Bf16>(o),
                              data<Bf16>(dOut)};
        attentionGradientsBf16(stream(), dq, dk, dv, dBias.defined() ? data<float>(dBias) : nullptr,
                               sums, in, shape, view);
        return;
    }
    withHeadWidth(shape.headDim, [&]<int D>() {
        // A side of 64 where 64 columns leave the room, for what a block sums up.
        constexpr int kFew = D == 256 ? 16 : 32;
        constexpr int kMany = D == 64 ? 64 : kFew;
        const Inputs<float> in{data<float>(q), data<float>(k), data<float>(v), data<float>(o),
                               data<float>(dOut)};
        launch(stream(), queryGradients<D, kMany, kFew>,
               blocks(heads * divideUp(shape.queries, kMany)), dim3(kAttentionThreads),
               Tiles<D, kMany, kFew>::kBytes, data<float>(dq), sums, in, view);
        launch(stream(), keyGradients<D, kFew, kMany>, blocks(heads * divideUp(shape.keys, kMany)),
               dim3(kAttentionThreads), Tiles<D, kFew, kMany>::kBytes, data<float>(dk),
               data<float>(dv), sums, in, view);
        if (dBias.defined())
            launch(
                stream(), biasGradients<D, kMany, kFew>,
                blocks(shape.heads * divideUp(shape.queries, kMany) * divideUp(shape.keys, kFew)),
                dim3(kAttentionThreads), Tiles<D, kMany, kFew>::kBytes, data<float>(dBias), sums,
                in, view, shape.batch);
    });
}

}  // namespace gpu
