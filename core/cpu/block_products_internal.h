// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/product_kernels.h"

#include <cstdint>

namespace core::cpu {

/// A matrix in memory: rows of `stride` elements.
template <typename T>
struct MatrixView {
    const T* data = nullptr;
    std::int64_t stride = 0;

    const T* at(std::int64_t row, std::int64_t column) const {
        return data + row * stride + column;
    }
};

/// Rows [row, row + rows) and columns [column, column + columns) of a result.
struct Block {
    std::int64_t row;
    std::int64_t rows;
    std::int64_t column;
    std::int64_t columns;
};

/// What makes of a block of sums, while they are in the cache, the block of the result: `sums` has
/// rows of `stride` floats. Without one, the sums are the result.
struct Finish {
    void (*function)(const void* context, const Block& block, float* sums,
                     std::int64_t stride) = nullptr;
    const void* context = nullptr;
};

/// A product of which one thread computes blocks: c = left right + bias, with left [., depth] and
/// right [depth, .], or right^T where its rows are those of the result's columns. For floats the
/// finish gets the sums in c; bf16 sums are apart, and what the finish writes is the result.
template <typename T>
struct ResultProduct {
    T* c = nullptr;
    std::int64_t stride = 0;
    MatrixView<T> left;
    MatrixView<T> right;
    bool rightTransposed = false;
    std::int64_t depth = 0;
    const float* bias = nullptr;
    Finish finish;

    void compute(const ProductKernels<T>& k, const Block& block) const;
};

/// c [rows, columns] += left^T right of left [depth, rows] and right [depth, columns], on one
/// thread.
template <typename T>
void addTransposedProduct(const ProductKernels<T>& k, float* c, std::int64_t stride,
                          MatrixView<T> left, MatrixView<T> right, std::int64_t rows,
                          std::int64_t columns, std::int64_t depth);

}  // namespace core::cpu
