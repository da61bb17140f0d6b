// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/cpu/kernels/product_kernels.h"

#include <cstdint>

namespace core::cpu {

/// A matrix in memory: rows of `stride` elements.
template <typename T>
struct MatrixView {
    const T* data;
    std::int64_t stride;

    const T* at(std::int64_t row, std::int64_t column) const {
        return data + row * stride + column;
    }
};

/// The kernels that a product of matrices of T needs.
template <typename T>
struct ProductLoops {
    const ProductKernels<T>& products;
    const ElementKernels<T>& elements;
};

/// Those of the processor.
template <typename T>
ProductLoops<T> productLoops(const Kernels& kernels);

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
    T* c;
    std::int64_t stride;
    MatrixView<T> left;
    MatrixView<T> right;
    bool rightTransposed;
    std::int64_t depth;
    const float* bias;
    Finish finish;

    void compute(const ProductLoops<T>& loops, const Block& block) const;
};

/// c [rows, columns] += left^T right of left [depth, rows] and right [depth, columns], on one
/// thread.
template <typename T>
void addTransposedProduct(const ProductLoops<T>& loops, float* c, std::int64_t stride,
                          MatrixView<T> left, MatrixView<T> right, std::int64_t rows,
                          std::int64_t columns, std::int64_t depth);

}  // namespace core::cpu
