// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/attention_kernels.h"
#include "core/tensor/bfloat16.h"

#include <cstdint>

namespace core::cpu {

/// The left factor of a block product, in place or packed: word p of row i is at data + i * row +
/// p * step, in bytes.
struct LeftFactor {
    const void* data;
    std::int64_t row;
    std::int64_t step;
};

/// C [rows, columns] = left right, + bias (a row; or null) or + C where `accumulate`; right is
/// packed in panels of `panelWords` words of depth, of which the first `words` count.
struct BlockProduct {
    LeftFactor left;
    const std::uint32_t* right;
    std::int64_t rows;
    std::int64_t columns;
    std::int64_t words;
    std::int64_t panelWords;
    std::int64_t stride;  ///< of C
    const float* bias;
    bool accumulate;
};

/// Matrix products of factors whose elements are T, in blocks that fit the caches, on one thread.
/// Factors are packed in words of 4 bytes: a float (bf16 is widened), or two bf16 that follow each
/// other in depth where the processor multiplies such pairs. Sums are floats.
template <typename T>
struct ProductKernels {
    using Index = std::int64_t;

    /// Elements of depth in a word.
    Index perWord;
    /// Whether rows of T are words as they are, for a depth that is a multiple of perWord.
    bool inPlace;

    /// Words of a packed right factor.
    Index (*rightWords)(Index words, Index columns);
    /// From [depth, columns], or the transpose of [columns, depth].
    void (*packRight)(std::uint32_t* into, const T* from, Index stride, Index depth, Index columns);
    void (*packRightTransposed)(std::uint32_t* into, const T* from, Index stride, Index depth,
                                Index columns);
    /// From [rows, depth] to [rows, words].
    void (*packLeft)(std::uint32_t* into, const T* from, Index stride, Index rows, Index depth);
    /// From [depth, rows] to [words, rows].
    void (*packLeftTransposed)(std::uint32_t* into, const T* from, Index stride, Index rows,
                               Index depth);

    /// Not for accumulation.
    void (*multiply)(T* c, const BlockProduct& product);
    void (*multiplyIntoFloats)(float* c, const BlockProduct& product);
};

/// All that is made of products of T.
template <typename T>
struct MatrixKernels {
    ProductKernels<T> products;
    AttentionKernels<T> attention;
};

struct ProductTable {
    MatrixKernels<float> f32;
    MatrixKernels<BFloat16> bf16;

    template <typename T>
    const MatrixKernels<T>& of() const {
        if constexpr (sizeof(T) == sizeof(float))
            return f32;
        else
            return bf16;
    }
};

const ProductTable& productsBaseline();
const ProductTable& productsAvx2();
const ProductTable& productsAvx512();
const ProductTable& productsAvx512Bf16();

}  // namespace core::cpu
