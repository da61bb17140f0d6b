// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/attention_rows.cuh"

namespace gpu {

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

/// Four probabilities of a query, as far as logSumExp is exact, and their gradients less the shift.
struct Quad {
    Pack<float, 4> p;
    Pack<float, 4> dP;
};

template <int D, int BM, int BN>
__device__ Quad quadOf(const Tiles<D, BM, BN>& tiles, const AttentionView& view, std::int64_t head,
                       std::int64_t query, std::int64_t first, int column, const Row& of) {
    const int at = RowThreads<BM, BN>::row() * padded(BN) + column;
    Quad quad{scoresOf(loadPack<4>(tiles.scores + at), view, head, query, first + column),
              dropped(loadPack<4>(tiles.dScores + at), view, head, query, first + column)};
    for (int i = 0; i < 4; ++i) {
        quad.p.at[i] = expf(quad.p.at[i] - of.logSumExp);
        quad.dP.at[i] -= of.shift;
    }
    return quad;
}

}  // namespace gpu
