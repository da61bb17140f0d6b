// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"

#include <cstdint>

namespace gpu {

/// y [experts, rows, columns] = bias [experts, columns] in every row.
template <typename T>
__global__ void repeatBias(T* y, const T* bias, std::int64_t experts, std::int64_t rows,
                           std::int64_t columns) {
    const std::int64_t n = experts * rows * columns;
    const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = threadElement(); i < n; i += step)
        y[i] = bias[i / (rows * columns) * columns + i % columns];
}

/// Threads of a block of biasPartialSums: columns side by side, rows in turns.
constexpr int kBiasColumns = 32;
constexpr int kBiasRows = 8;

/// partials [experts, parts, columns]: sums over the part blockIdx.y of the rows of expert
/// blockIdx.z of dy [experts, rows, columns], in a fixed order. Shared memory: kBiasRows *
/// kBiasColumns floats.
template <typename T>
__global__ void biasPartialSums(float* partials, const T* dy, std::int64_t rows,
                                std::int64_t columns, std::int64_t rowsPerPart) {
    float* shared = blockShared<float>();
    const std::int64_t column = std::int64_t{blockIdx.x} * kBiasColumns + threadIdx.x;
    const std::int64_t first = blockIdx.z * rows + blockIdx.y * rowsPerPart;
    const std::int64_t last = (blockIdx.z + 1) * rows;
    const std::int64_t end = first + rowsPerPart < last ? first + rowsPerPart : last;
    float sum = 0.0F;
    if (column < columns)
        for (std::int64_t r = first + threadIdx.y; r < end; r += kBiasRows)
            sum += toFloat(dy[r * columns + column]);
    shared[threadIdx.y * kBiasColumns + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || column >= columns) return;
    float total = 0.0F;
    for (int y = 0; y < kBiasRows; ++y) total += shared[y * kBiasColumns + threadIdx.x];
    partials[(std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * columns + column] = total;
}

/// dBias [experts, columns] += the sums over the parts, in double, in their order.
static __global__ void addBiasPartials(float* dBias, const float* partials, std::int64_t parts,
                                       std::int64_t columns, std::int64_t experts) {
    const std::int64_t i = threadElement();
    if (i >= experts * columns) return;
    const float* from = partials + i / columns * parts * columns + i % columns;
    double total = 0.0;
    for (std::int64_t p = 0; p < parts; ++p) total += static_cast<double>(from[p * columns]);
    dBias[i] += static_cast<float>(total);
}

}  // namespace gpu
