// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/block_products_internal.h"
#include "core/tensor/buffer.h"

#include <algorithm>
#include <memory>
#include <type_traits>

namespace core::cpu {
namespace {

using Index = std::int64_t;

/// Rows of the left factor at a time: a whole number of tiles of every height.
constexpr Index kRowBlock = 96;
/// So few rows do not repay packing the right factor.
constexpr Index kFewRows = 12;
/// Columns of a whole panel; of any instruction set a whole number of panels.
constexpr Index kPanel = 64;
/// Words of the packed right factor: with the rows of a block in a processor's own cache.
constexpr Index kRightWords = 96 << 10;
/// Words of depth at a time; sums of more pieces wait in memory.
constexpr Index kDepthWords = 1024;
/// The same where every result is a sum in memory anyway.
constexpr Index kGradientWords = 256;
/// Rows and columns whose sums wait as floats when they will be rounded.
constexpr Index kSumRows = 512;
constexpr Index kSumColumns = 512;

/// A thread's own memory for packed factors, kept between calls.
template <typename Element>
class Scratch {
  public:
    Element* atLeast(Index n) {
        const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(Element);
        if (buffer_ == nullptr || buffer_->bytes() < bytes) buffer_ = allocateHost(bytes);
        return reinterpret_cast<Element*>(buffer_->data());
    }

  private:
    std::shared_ptr<Buffer> buffer_;
};

thread_local Scratch<std::uint32_t> rightScratch;
thread_local Scratch<std::uint32_t> leftScratch;
thread_local Scratch<float> sumScratch;

Index pieces(Index n, Index size) { return std::max<Index>(1, (n + size - 1) / size); }

Index roundedUp(Index n, Index step) { return (n + step - 1) / step * step; }

Index wordsOf(Index depth, Index perWord) { return (depth + perWord - 1) / perWord; }

/// Columns of the packed right factor at a time.
Index columnStep(Index words) {
    return std::max(kPanel, kRightWords / std::max<Index>(words, 1) / kPanel * kPanel);
}

/// The result's block from its sums, unless they are in place.
template <typename T>
void finishBlock(const ResultProduct<T>& product, const ProductKernels<T>& k, const Block& block,
                 float* sums, Index stride) {
    if (product.finish.function != nullptr) {
        product.finish.function(product.finish.context, block, sums, stride);
        return;
    }
    if constexpr (!std::is_same_v<T, float>)
        for (Index i = 0; i < block.rows; ++i)
            k.store(product.c + (block.row + i) * product.stride + block.column, sums + i * stride,
                    block.columns);
}

/// A block of few rows whose right factor is not worth packing.
template <typename T>
void computeFewRows(const ResultProduct<T>& p, const ProductKernels<T>& k, const Block& block) {
    const Index end = block.column + block.columns;
    float* const apart = sumScratch.atLeast(block.rows * kSumColumns);
    for (Index column = block.column; column < end; column += kSumColumns) {
        const Block b{block.row, block.rows, column, std::min(kSumColumns, end - column)};
        float* sums = apart;
        Index stride = kSumColumns;
        if constexpr (std::is_same_v<T, float>) {
            sums = p.c + b.row * p.stride + b.column;
            stride = p.stride;
        }
        k.multiplyFewRows(sums, stride, p.left.at(b.row, 0), p.left.stride, p.right.at(column, 0),
                          p.right.stride, p.bias == nullptr ? nullptr : p.bias + column, b.rows,
                          b.columns, p.depth);
        finishBlock(p, k, b, sums, stride);
    }
}

}  // namespace

template <typename T>
void ResultProduct<T>::compute(const ProductKernels<T>& k, const Block& block) const {
    if (rightTransposed && block.rows <= kFewRows) {
        computeFewRows(*this, k, block);
        return;
    }
    constexpr bool kFloats = std::is_same_v<T, float>;
    const Index depthPieces = pieces(depth, kDepthWords * k.perWord);
    const Index depthStep = roundedUp(wordsOf(depth, depthPieces), k.perWord);
    const Index mostWords = wordsOf(depthStep, k.perWord);
    const bool cut = depthPieces > 1;
    const bool apart = !kFloats && (cut || finish.function != nullptr);
    const Index columnsAtOnce = std::min({apart ? kSumColumns : columnStep(mostWords),
                                          columnStep(mostWords), roundedUp(block.columns, kPanel)});
    const Index rowsAtOnce = cut && apart ? std::min(kSumRows, block.rows) : block.rows;
    const Index sumRows = !apart ? 0 : cut ? rowsAtOnce : kRowBlock;
    std::uint32_t* packed = rightScratch.atLeast(mostWords * columnsAtOnce);
    float* sums = sumScratch.atLeast(sumRows * columnsAtOnce);
    const Index lastRow = block.row + block.rows;
    const Index lastColumn = block.column + block.columns;

    const auto multiplyRows = [&](const Block& b, Index from, Index count, Index sumRow) {
        BlockProduct product{
            .left = {left.at(b.row, from), left.stride * static_cast<Index>(sizeof(T)), 4},
            .right = packed,
            .rows = b.rows,
            .columns = b.columns,
            .words = wordsOf(count, k.perWord),
            .panelWords = wordsOf(count, k.perWord),
            .stride = stride,
            .bias = bias == nullptr || from > 0 ? nullptr : bias + b.column,
            .accumulate = from > 0};
        if (!k.inPlace || count % k.perWord != 0) {
            std::uint32_t* rows = leftScratch.atLeast(kRowBlock * product.words);
            k.packLeft(rows, left.at(b.row, from), left.stride, b.rows, count);
            product.left = {rows, product.words * 4, 4};
        }
        T* into = c + b.row * stride + b.column;
        const bool last = from + count == depth;
        if constexpr (kFloats) {
            k.multiplyIntoFloats(into, product);
            if (last) finishBlock(*this, k, b, into, stride);
        } else if (!apart) {
            k.multiply(into, product);
        } else {
            float* total = sums + sumRow * columnsAtOnce;
            product.stride = columnsAtOnce;
            k.multiplyIntoFloats(total, product);
            if (last) finishBlock(*this, k, b, total, columnsAtOnce);
        }
    };

    for (Index top = block.row; top < lastRow; top += rowsAtOnce)
        for (Index column = block.column; column < lastColumn; column += columnsAtOnce) {
            const Index columns = std::min(columnsAtOnce, lastColumn - column);
            for (Index from = 0; from == 0 || from < depth; from += depthStep) {
                const Index count = std::min(depthStep, depth - from);
                if (rightTransposed)
                    k.packRightTransposed(packed, right.at(column, from), right.stride, count,
                                          columns);
                else
                    k.packRight(packed, right.at(from, column), right.stride, count, columns);
                const Index bottom = std::min(lastRow, top + rowsAtOnce);
                for (Index row = top; row < bottom; row += kRowBlock)
                    multiplyRows({row, std::min(kRowBlock, bottom - row), column, columns}, from,
                                 count, cut ? row - top : 0);
            }
        }
}

template <typename T>
void addTransposedProduct(const ProductKernels<T>& k, float* c, Index stride, MatrixView<T> left,
                          MatrixView<T> right, Index rows, Index columns, Index depth) {
    const Index depthPieces = pieces(depth, kGradientWords * k.perWord);
    const Index depthStep = roundedUp(wordsOf(depth, depthPieces), k.perWord);
    const Index mostWords = wordsOf(depthStep, k.perWord);
    const Index columnsAtOnce = std::min(columnStep(mostWords), roundedUp(columns, kPanel));
    std::uint32_t* packedRight = rightScratch.atLeast(mostWords * columnsAtOnce);
    std::uint32_t* packedLeft = leftScratch.atLeast(mostWords * kRowBlock);
    for (Index from = 0; from < depth; from += depthStep) {
        const Index count = std::min(depthStep, depth - from);
        for (Index column = 0; column < columns; column += columnsAtOnce) {
            const Index width = std::min(columnsAtOnce, columns - column);
            k.packRight(packedRight, right.at(from, column), right.stride, count, width);
            for (Index row = 0; row < rows; row += kRowBlock) {
                const Index height = std::min(kRowBlock, rows - row);
                LeftFactor factor{left.at(from, row), 4, left.stride * 4};
                if constexpr (!std::is_same_v<T, float>) {
                    k.packLeftTransposed(packedLeft, left.at(from, row), left.stride, height,
                                         count);
                    factor = {packedLeft, 4, height * 4};
                }
                k.multiplyIntoFloats(c + row * stride + column,
                                     {.left = factor,
                                      .right = packedRight,
                                      .rows = height,
                                      .columns = width,
                                      .words = wordsOf(count, k.perWord),
                                      .panelWords = wordsOf(count, k.perWord),
                                      .stride = stride,
                                      .bias = nullptr,
                                      .accumulate = true});
            }
        }
    }
}

template struct ResultProduct<float>;
template struct ResultProduct<BFloat16>;
template void addTransposedProduct(const ProductKernels<float>&, float*, Index, MatrixView<float>,
                                   MatrixView<float>, Index, Index, Index);
template void addTransposedProduct(const ProductKernels<BFloat16>&, float*, Index,
                                   MatrixView<BFloat16>, MatrixView<BFloat16>, Index, Index, Index);

}  // namespace core::cpu
