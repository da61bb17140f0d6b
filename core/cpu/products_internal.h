// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"

#include <cstdint>
#include <span>

namespace core::cpu {

/// The matrix products of `experts` linear layers side by side (one for a plain linear layer): rows
/// [offsets[e], offsets[e + 1]) of x and y belong to weight e [out, in] and bias e [out]. Work is
/// cut into blocks of rows or columns small enough for the cache, and shared out to the threads;
/// each block is one serial oneDNN product.
struct LinearProducts {
    const Kernels& kernels;
    std::span<const std::int64_t> offsets;
    std::int64_t in;
    std::int64_t out;

    /// y = x weight^T + bias; bias may be null.
    void forward(float* y, const float* x, const float* weight, const float* bias) const;

    /// dx = dy weight.
    void backwardData(float* dx, const float* dy, const float* weight) const;

    /// dWeight += dy^T x; dBias += column sums of dy, unless it is null.
    void backwardWeight(float* dWeight, float* dBias, const float* dy, const float* x) const;
};

/// sums [columns] += column sums of x [rows, columns], with double totals; threads share the
/// columns.
template <typename T>
void addColumnSums(const Kernels& kernels, float* sums, const T* x, std::int64_t rows,
                   std::int64_t columns);

}  // namespace core::cpu
