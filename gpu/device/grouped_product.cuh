// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/activation.cuh"
#include "gpu/device/eight.cuh"
#include "gpu/device/tile_product.cuh"

#include <cstdint>

namespace gpu {

/// Expert e has rows [offsets[e], offsets[e + 1]); the offsets lie on the device.
struct ExpertRows {
    const std::int64_t* offsets;
    std::int64_t experts;
};

/// One expert's rows [first, end) that a block multiplies; none where first >= end.
struct RowTile {
    std::int64_t expert;
    std::int64_t first;
    std::int64_t end;
};

/// The i-th tile of i < rows / kTileSide + experts. The tiles of expert e begin at offsets[e] /
/// kTileSide + e: the next expert's begin at least as many later as this one's rows need, so that
/// no sum over experts is needed to find one.
__device__ __forceinline__ RowTile rowTile(const ExpertRows& rows, std::int64_t i) {
    std::int64_t low = 0;
    std::int64_t high = rows.experts;
    while (high - low > 1) {
        const std::int64_t middle = (low + high) / 2;
        if (rows.offsets[middle] / kTileSide + middle <= i)
            low = middle;
        else
            high = middle;
    }
    const std::int64_t begin = rows.offsets[low];
    const std::int64_t before = i - (begin / kTileSide + low);
    return {low, begin + before * kTileSide, rows.offsets[low + 1]};
}

/// y [rows, out] = f(before), before = x [rows, in] weight[e]^T + bias[e], where there is a place
/// for `before`; else y = x weight[e]^T + bias[e]. Blocks: tiles of rows, tiles of columns.
template <typename T>
__global__ void __launch_bounds__(kTileThreads, 2)
    groupedForward(T* y, T* before, const T* x, const T* weight, const float* bias,
                   ExpertRows experts, std::int64_t in, std::int64_t out, ActivationKind kind) {
    const RowTile tile = rowTile(experts, blockIdx.x);
    if (tile.first >= tile.end) return;
    const Operand<T> a{x, tile.end, in};
    const Operand<T> b{weight + tile.expert * out * in, out, in};
    const RowsOfEight<T> into{y, out};
    const RowsOfEight<T> kept{before, out};
    const RowsOfEight<const float> added{bias, out};
    multiplyTile<T, true, true>(a, b, tile.first, std::int64_t{blockIdx.y} * kTileSide, tile.end,
                                out, static_cast<int>(in), NoStep{},
                                [&](std::int64_t row, std::int64_t column, Eight values) {
                                    if (added.at != nullptr) {
                                        const Eight more = added.load(tile.expert, column);
                                        for (int i = 0; i < kEight; ++i) values.at[i] += more.at[i];
                                    }
                                    if (kept.at != nullptr) {
                                        if (kept.at != into.at) kept.store(row, column, values);
                                        for (int i = 0; i < kEight; ++i)
                                            values.at[i] = activationValue(kind, values.at[i]);
                                    }
                                    into.store(row, column, values);
                                });
}

/// dx [rows, in] = dy [rows, out] weight[e], times the slope at `before` where there is one.
/// Blocks: tiles of rows, tiles of columns.
template <typename T>
__global__ void __launch_bounds__(kTileThreads, 2)
    groupedBackwardData(T* dx, const T* dy, const T* weight, const T* before, ExpertRows experts,
                        std::int64_t in, std::int64_t out, ActivationKind kind) {
    const RowTile tile = rowTile(experts, blockIdx.x);
    if (tile.first >= tile.end) return;
    const Operand<T> a{dy, tile.end, out};
    const Operand<T> b{weight + tile.expert * out * in, out, in};
    const RowsOfEight<T> into{dx, in};
    const RowsOfEight<const T> at{before, in};
    multiplyTile<T, true, false>(a, b, tile.first, std::int64_t{blockIdx.y} * kTileSide, tile.end,
                                 in, static_cast<int>(out), NoStep{},
                                 [&](std::int64_t row, std::int64_t column, Eight values) {
                                     if (at.at != nullptr) {
                                         const Eight places = at.load(row, column);
                                         for (int i = 0; i < kEight; ++i)
                                             values.at[i] *= activationSlope(kind, places.at[i]);
                                     }
                                     into.store(row, column, values);
                                 });
}

/// dWeight[e] [out, in] += dy_e^T x_e and dBias[e] [out] (or null) += column sums of dy_e; experts
/// without rows leave theirs alone. Blocks: tiles of out, tiles of in, experts.
template <typename T>
__global__ void __launch_bounds__(kTileThreads, 2)
    groupedBackwardWeight(float* dWeight, float* dBias, const T* dy, const T* x, ExpertRows experts,
                          std::int64_t in, std::int64_t out) {
    const std::int64_t expert = blockIdx.z;
    const std::int64_t begin = experts.offsets[expert];
    const std::int64_t rows = experts.offsets[expert + 1] - begin;
    if (rows == 0) return;
    const std::int64_t first = std::int64_t{blockIdx.x} * kTileSide;
    const Operand<T> a{dy + begin * out, rows, out};
    const Operand<T> b{x + begin * in, rows, in};
    const RowsOfEight<float> into{dWeight + expert * out * in, in};
    const int side = static_cast<int>(threadIdx.x);
    const bool sums = dBias != nullptr && blockIdx.y == 0 && side < kTileSide && first + side < out;
    double total = 0.0;
    multiplyTile<T, false, false>(
        a, b, first, std::int64_t{blockIdx.y} * kTileSide, out, in, static_cast<int>(rows),
        [&](const T* tile, int depth) {
            if (sums) total += static_cast<double>(SharedTile<T, false>::sum(tile, side, depth));
        },
        [&](std::int64_t row, std::int64_t column, Eight values) {
            const Eight before = into.load(row, column);
            for (int i = 0; i < kEight; ++i) values.at[i] += before.at[i];
            into.store(row, column, values);
        });
    if (sums) dBias[expert * out + first + side] += static_cast<float>(total);
}

}  // namespace gpu
