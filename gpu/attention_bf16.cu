// SPDX-License-Identifier: Apache-2.0
#include "gpu/attention_bf16.h"
#include "gpu/device/attention_mma.cuh"
#include "gpu/device/shared.cuh"

namespace gpu {
namespace {

/// o = softmax(scores) v for 64 queries of a head, over tiles of BN keys (Dao 2023): a warp has 16
/// queries, their scores, the largest and the sum so far and o stay in its registers. Shared
/// memory: queries [64, D], keys [BN, D], values [BN, D].
template <int D, int BN>
__global__ void __launch_bounds__(kMmaThreads)
    attendOnTensorCores(Bf16* o, float* logSumExp, const Bf16* q, const Bf16* k, const Bf16* v,
                        AttentionView view) {
    Bf16* queryTile = blockShared<Bf16>();
    Bf16* keyTile = queryTile + kOwnRows * pitch(D);
    Bf16* valueTile = keyTile + BN * pitch(D);

    const QueryBlock block = QueryBlock::ofGrid(view);
    const std::int64_t head = block.head;
    const std::uint8_t* mask = view.maskOf(head / view.heads);

    loadTile<kOwnRows, D>(queryTile, q + view.queryAt(head), view, block.top, view.queries,
                          nullptr);
    const Bf16* rows = queryTile + warpRank() * kWarpRows * pitch(D);
    float out[1][D / 8][4] = {};
    float most[2] = {-INFINITY, -INFINITY};
    float total[2] = {};
    for (int first = 0; first < block.seen; first += BN) {
        __syncthreads();
        loadTile<BN, D>(keyTile, k + view.keyAt(head), view, first, view.keys, mask);
        loadTile<BN, D>(valueTile, v + view.keyAt(head), view, first, view.keys, mask);
        __syncthreads();
        if (first >= block.seenByWarp) continue;
        float p[BN / 8][4] = {};
        addDots<BN, D>(p, rows, keyTile);
        const Scores<BN, false> scores{view, head, block.query, first};
        scores.finish(p);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            float highest = most[half];
            for (int n = 0; n < BN / 8; ++n)
                highest = fmaxf(highest, fmaxf(p[n][2 * half], p[n][2 * half + 1]));
            highest = rowLargest(highest);
            const float shift = highest == -INFINITY ? 0.0F : highest;
            const float factor = __expf(most[half] - shift);
            most[half] = highest;
            total[half] *= factor;
            for (int n = 0; n < BN / 8; ++n)
                for (int i = 2 * half; i < 2 * half + 2; ++i) {
                    p[n][i] = __expf(p[n][i] - shift);
                    total[half] += p[n][i];
                }
#pragma unroll
            for (int n = 0; n < D / 8; ++n)
                for (int i = 2 * half; i < 2 * half + 2; ++i) out[0][n][i] *= factor;
        }
        const std::uint32_t kept = scores.kept();
        for (int n = 0; n < BN / 8; ++n)
            for (int i = 0; i < 4; ++i)
                if ((kept >> (4 * n + i) & 1U) == 0) p[n][i] = 0.0F;
        addRows<BN, D, D>(out, {Rounded<BN>(p)}, valueTile);
    }
    // A query that sees nothing counts as a sum of 1.
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float sum = rowSum(total[half]);
        total[half] = sum == 0.0F ? 1.0F : sum;
        if (laneRank() % 4 == 0 && block.row[half] < view.queries)
            logSumExp[head * view.queries + block.row[half]] =
                (most[half] == -INFINITY ? 0.0F : most[half]) + logf(total[half]);
    }
    storeRows<D>(o + view.queryAt(head), out[0], view, block.query, view.queries, 0,
                 view.drop.factor / total[0], view.drop.factor / total[1]);
}

}  // namespace

void attendBf16(cudaStream_t stream, const core::Tensor& o, const core::Tensor& logSumExp,
                const core::Tensor& q, const core::Tensor& k, const core::Tensor& v,
                const core::AttentionShape& shape, const AttentionView& view) {
    const std::int64_t blocks = shape.batch * shape.heads * divideUp(shape.queries, kOwnRows);
    withMmaWidth(shape.headDim, [&]<int D>() {
        constexpr int kKeys = D == 256 ? 32 : 64;
        launch(stream, attendOnTensorCores<D, kKeys>, dim3(static_cast<unsigned>(blocks)),
               dim3(kMmaThreads), tileBytes(kOwnRows + 2 * kKeys, D), data<Bf16>(o),
               data<float>(logSumExp), data<Bf16>(q), data<Bf16>(k), data<Bf16>(v), view);
    });
}

}  // namespace gpu
