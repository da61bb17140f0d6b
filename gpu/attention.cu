// SPDX-License-Identifier: Apache-2.0
#include "gpu/attention_bf16.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/shared.cuh"
#include "gpu/dropout_rule.h"

namespace gpu {
namespace {

/// shown [batch] = the place behind the last key that the mask shows, a warp an entry.
__global__ void findShown(std::int32_t* shown, const std::uint8_t* mask, std::int64_t batch,
                          std::int64_t keys) {
    const std::int64_t entry = warpRow();
    if (entry >= batch) return;
    std::int32_t last = 0;
    forLanePacks<1>(keys, [&](std::int64_t j) {
        if (mask[entry * keys + j] != 0) last = static_cast<std::int32_t>(j) + 1;
    });
    last = warpMax(last);
    if (laneRank() == 0) shown[entry] = last;
}

/// o = softmax(scores) v for BM queries of a head, over tiles of BN keys: the largest score and
/// the sum of a row so far are kept (Dao et al. 2022), scores never leave the block. Shared memory:
/// queries [BM, D], keys and then values [BN, D], scores [BM, BN], one number a row.
template <int D, int BM, int BN>
__global__ void __launch_bounds__(kAttentionThreads)
    attend(float* o, float* logSumExp, const float* q, const float* k, const float* v,
           AttentionView view) {
    using Rows = RowThreads<BM, BN>;
    constexpr int kTM = BM / kSide;
    float* queryTile = blockShared<float>();
    float* keyTile = queryTile + BM * padded(D);
    float* scores = keyTile + BN * padded(D);
    float* factors = scores + BM * padded(BN);

    // The last queries see the most keys: they begin first.
    const std::int64_t tiles = (view.queries + BM - 1) / BM;
    const std::int64_t top = (tiles - 1 - blockIdx.x % tiles) * BM;
    const std::int64_t head = blockIdx.x / tiles;
    const std::int64_t entry = head / view.heads;
    const std::int64_t seen = view.seenBelow(entry, top + BM);
    const std::int64_t query = top + Rows::row();
    const std::uint8_t* mask = view.maskOf(entry);

    loadTile<BM, D>(queryTile, q + view.queryAt(head), view, top, view.queries, nullptr);
    float out[kTM][D / kSide] = {};
    float most = -INFINITY;
    float total = 0.0F;
    for (std::int64_t first = 0; first < seen; first += BN) {
        loadTile<BN, D>(keyTile, k + view.keyAt(head), view, first, view.keys, mask);
        __syncthreads();
        float dots[kTM][BN / kSide] = {};
        addDots<kTM, BN / kSide, D>(dots, queryTile, keyTile);
        storeTile(scores, dots);
        __syncthreads();
        loadTile<BN, D>(keyTile, v + view.keyAt(head), view, first, view.keys, mask);
        float* row = scores + Rows::row() * padded(BN);
        float highest = most;
        Rows::forQuads([&](int c) {
            const auto score = scoresOf(loadPack<4>(row + c), view, head, query, first + c);
            storePack<4>(row + c, score);
            for (int j = 0; j < 4; ++j) highest = fmaxf(highest, score.at[j]);
        });
        highest = Rows::largest(highest);
        const float shift = highest == -INFINITY ? 0.0F : highest;
        const float factor = expf(most - shift);
        float sum = 0.0F;
        Rows::forQuads([&](int c) {
            auto p = loadPack<4>(row + c);
            for (int j = 0; j < 4; ++j) {
                p.at[j] = expf(p.at[j] - shift);
                sum += p.at[j];
            }
            storePack<4>(row + c, dropped(p, view, head, query, first + c));
        });
        total = total * factor + Rows::sum(sum);
        most = highest;
        if (Rows::rank() == 0) factors[Rows::row()] = factor;
        __syncthreads();
        for (int i = 0; i < kTM; ++i)
            for (int c = 0; c < D / kSide; ++c)
                out[i][c] *= factors[threadRank() / kSide * kTM + i];
        addRows<kTM, BN, D>(out, scores, keyTile);
        __syncthreads();
    }
    // A query that sees nothing counts as a sum of 1.
    const float all = total == 0.0F ? 1.0F : total;
    if (Rows::rank() == 0) {
        factors[Rows::row()] = 1.0F / all;
        if (query < view.queries)
            logSumExp[head * view.queries + query] = (most == -INFINITY ? 0.0F : most) + logf(all);
    }
    __syncthreads();
    storeRows<kTM, D>(o + view.queryAt(head), out, view, top, view.queries, factors);
}

template <int D, int BM, int BN>
void startAttend(cudaStream_t stream, const core::Tensor& o, const core::Tensor& logSumExp,
                 const core::Tensor& q, const core::Tensor& k, const core::Tensor& v,
                 const core::AttentionShape& shape, const AttentionView& view) {
    constexpr std::size_t kShared = sizeof(float) * ((BM + BN) * padded(D) + BM * padded(BN) + BM);
    const std::int64_t blocks = shape.batch * shape.heads * divideUp(shape.queries, BM);
    launch(stream, attend<D, BM, BN>, dim3(static_cast<unsigned>(blocks)), dim3(kAttentionThreads),
           kShared, data<float>(o), data<float>(logSumExp), data<float>(q), data<float>(k),
           data<float>(v), view);
}

}  // namespace

AttentionView viewAttention(cudaStream_t stream, std::int32_t* shown,
                            const core::AttentionShape& shape,
                            const core::AttentionOptions& options,
                            std::initializer_list<const core::Tensor*> tensors) {
    AttentionView view{};
    view.heads = shape.heads;
    view.queries = shape.queries;
    view.keys = shape.keys;
    view.keyRows = options.keyStride > 0 ? options.keyStride : shape.keys;
    view.sight = options.causal ? options.queryOffset + 1 : shape.keys;
    view.bias = dataOrNull<float>(options.bias);
    view.mask = dataOrNull<std::uint8_t>(options.keyMask);
    if (view.mask != nullptr) {
        launch(stream, findShown, warpsFor(shape.batch), dim3(kBlock), 0, shown, view.mask,
               shape.batch, shape.keys);
        view.shown = shown;
    }
    view.drop = dropoutRule(options.dropout, options.dropoutKey);
    view.scale = shape.scale;
    view.headDim = static_cast<int>(shape.headDim);
    view.wide = true;
    for (const core::Tensor* t : tensors)
        view.wide = view.wide && shape.headDim % (t->dtype() == core::DType::BF16 ? 8 : 4) == 0 &&
                    reinterpret_cast<std::uintptr_t>(t->raw()) % 16 == 0;
    return view;
}

void CudaBackend::attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                                   const Tensor& v, const AttentionShape& shape,
                                   const AttentionOptions& options) {
    if (shape.batch == 0) return;
    const AttentionView view =
        viewAttention(stream(), scratchOf<std::int32_t>(static_cast<std::size_t>(shape.batch)),
                      shape, options, {&o, &q, &k, &v});
    if (q.dtype() == core::DType::BF16) {
        attendBf16(stream(), o, logSumExp, q, k, v, shape, view);
        return;
    }
    withHeadWidth(shape.headDim, [&]<int D>() {
        constexpr int kKeys = D == 64 ? 64 : 32;
        constexpr int kQueries = D == 256 ? 32 : 64;
        if (shape.queries <= kSide)
            startAttend<D, kSide, kKeys>(stream(), o, logSumExp, q, k, v, shape, view);
        else
            startAttend<D, kQueries, kKeys>(stream(), o, logSumExp, q, k, v, shape, view);
    });
}

}  // namespace gpu
