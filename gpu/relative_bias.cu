// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

/// A block of addDiagonals: distances side by side, queries in turns.
constexpr int kDistances = 32;
constexpr int kTurns = 8;

struct BiasShape {
    std::int64_t heads, queries, keys;

    __host__ __device__ std::int64_t distances() const { return queries + keys - 1; }
};

__global__ void spreadBias(float* bias, const float* table, const std::int64_t* byDistance,
                           BiasShape shape) {
    const std::int64_t i = threadElement();
    if (i >= shape.heads * shape.queries * shape.keys) return;
    const std::int64_t key = i % shape.keys;
    const std::int64_t query = i / shape.keys % shape.queries;
    const std::int64_t head = i / shape.keys / shape.queries;
    bias[i] = table[byDistance[key - query + shape.queries - 1] * shape.heads + head];
}

/// sums [heads, distances]: dBias along each diagonal, in double, in a fixed order.
__global__ void addDiagonals(double* sums, const float* dBias, BiasShape shape) {
    auto* shared = blockShared<double>();
    const std::int64_t distance = static_cast<std::int64_t>(blockIdx.x) * kDistances + threadIdx.x;
    const std::int64_t head = blockIdx.y;
    const float* of = dBias + head * shape.queries * shape.keys;
    double total = 0.0;
    for (std::int64_t query = threadIdx.y; query < shape.queries; query += kTurns) {
        const std::int64_t key = distance + query - (shape.queries - 1);
        if (key >= 0 && key < shape.keys)
            total += static_cast<double>(of[query * shape.keys + key]);
    }
    shared[threadIdx.y * kDistances + threadIdx.x] = total;
    __syncthreads();
    if (threadIdx.y != 0 || distance >= shape.distances()) return;
    for (int turn = 1; turn < kTurns; ++turn) total += shared[turn * kDistances + threadIdx.x];
    sums[head * shape.distances() + distance] = total;
}

/// dTable [buckets, heads] += the distances of each bucket, a warp a bucket and head.
__global__ void addBuckets(float* dTable, const double* sums, const std::int64_t* byDistance,
                           BiasShape shape, std::int64_t buckets) {
    const std::int64_t row = warpRow();
    if (row >= buckets * shape.heads) return;
    const std::int64_t bucket = row / shape.heads;
    const double* of = sums + row % shape.heads * shape.distances();
    double total = 0.0;
    forLanePacks<1>(shape.distances(), [&](std::int64_t i) {
        if (byDistance[i] == bucket) total += of[i];
    });
    total = warpSum(total);
    if (laneRank() == 0) dTable[row] += static_cast<float>(total);
}

}  // namespace

void CudaBackend::relativeBiasForward(Out bias, const Tensor& table,
                                      std::span<const std::int64_t> byDistance) {
    const BiasShape shape{bias.size(0), bias.size(1), bias.size(2)};
    launch(stream(), spreadBias, blocksFor(bias.elements()), dim3(kBlock), 0, data<float>(bias),
           data<float>(table), stageConstant(byDistance), shape);
}

void CudaBackend::relativeBiasBackward(InOut dTable, const Tensor& dBias,
                                       std::span<const std::int64_t> byDistance) {
    const BiasShape shape{dBias.size(0), dBias.size(1), dBias.size(2)};
    const std::int64_t buckets = dTable.size(0);
    const std::int64_t* const bucketOf = stageConstant(byDistance);
    auto* sums = scratchOf<double>(static_cast<std::size_t>(shape.heads * shape.distances()));
    const dim3 grid(static_cast<unsigned>(divideUp(shape.distances(), kDistances)),
                    static_cast<unsigned>(shape.heads));
    launch(stream(), addDiagonals, grid, dim3(kDistances, kTurns),
           sizeof(double) * kDistances * kTurns, sums, data<float>(dBias), shape);
    launch(stream(), addBuckets, warpsFor(buckets * shape.heads), dim3(kBlock), 0,
           data<float>(dTable), sums, bucketOf, shape, buckets);
}

}  // namespace gpu
