// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/ops/types.h"

#include <cstdint>
#include <span>

namespace core::cpu {

/// The matrix products of `experts` linear layers side by side (one for a plain linear layer) with
/// activations and weights of T: rows [offsets[e], offsets[e + 1]) of x and y belong to weight e
/// [out, in] and bias e [out]. Threads share out the rows or the columns of a result; each works in
/// blocks small enough for its caches. T is float or BFloat16.
template <typename T>
struct LinearProducts {
    const Kernels& kernels;
    std::span<const std::int64_t> offsets;
    std::int64_t in;
    std::int64_t out;

    /// y = x weight^T + bias; bias may be null.
    void forward(T* y, const T* x, const T* weight, const float* bias) const;

    /// before = x weight^T + bias; y = f(before), block by block.
    void forward(T* y, T* before, const T* x, const T* weight, const float* bias,
                 Activation kind) const;

    /// dx = dy weight.
    void backwardData(T* dx, const T* dy, const T* weight) const;

    /// dBefore = (dy weight) * f'(before), block by block.
    void backwardData(T* dBefore, const T* dy, const T* weight, const T* before,
                      Activation kind) const;

    /// dWeight += dy^T x; dBias += column sums of dy, unless it is null.
    void backwardWeight(float* dWeight, float* dBias, const T* dy, const T* x) const;
};

/// sums [columns] += column sums of x [rows, columns], with double totals; threads share the
/// columns.
template <typename T>
void addColumnSums(const Kernels& kernels, float* sums, const T* x, std::int64_t rows,
                   std::int64_t columns);

}  // namespace core::cpu
