// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"

namespace gpu {

/// Threads of a block of columnPartials: columns side by side, rows in turns.
constexpr int kSumColumns = 32;
constexpr int kSumRows = 8;

/// partials [parts, Term::kSums, columns]: term.add(sums, row, column) over the rows of each part,
/// blockIdx.y, in a fixed order. Shared memory: kSumRows * kSumColumns * kSums floats.
template <typename Term>
__global__ void columnPartials(float* partials, Term term, std::int64_t rows, std::int64_t columns,
                               std::int64_t rowsPerPart) {
    float* shared = blockShared<float>();
    const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kSumColumns + threadIdx.x;
    const std::int64_t first = blockIdx.y * rowsPerPart;
    const std::int64_t end = first + rowsPerPart < rows ? first + rowsPerPart : rows;
    float sums[Term::kSums] = {};
    if (column < columns)
        for (std::int64_t r = first + threadIdx.y; r < end; r += kSumRows)
            term.add(sums, r, column);
    for (int k = 0; k < Term::kSums; ++k)
        shared[(k * kSumRows + threadIdx.y) * kSumColumns + threadIdx.x] = sums[k];
    __syncthreads();
    if (threadIdx.y != 0 || column >= columns) return;
    for (int k = 0; k < Term::kSums; ++k) {
        float total = 0.0F;
        for (int y = 0; y < kSumRows; ++y)
            total += shared[(k * kSumRows + y) * kSumColumns + threadIdx.x];
        partials[(static_cast<std::int64_t>(blockIdx.y) * Term::kSums + k) * columns + column] =
            total;
    }
}

/// into[c] += the sum over parts of partials[part * stride + c], in double, in their order.
static __global__ void addPartials(float* into, const float* partials, std::int64_t parts,
                                   std::int64_t stride, std::int64_t columns) {
    const std::int64_t column = threadElement();
    if (column >= columns) return;
    double total = 0.0;
    for (std::int64_t p = 0; p < parts; ++p)
        total += static_cast<double>(partials[p * stride + column]);
    into[column] += static_cast<float>(total);
}

}  // namespace gpu
