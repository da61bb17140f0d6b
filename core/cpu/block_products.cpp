// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/block_products_internal.h"
#include "core/cpu/instruction_set_internal.h"
#include "core/tensor/buffer.h"

#include <algorithm>
#include <memory>
#include <type_traits>

namespace core::cpu {
namespace {

using Index = std::int64_t;

/// Rows of the left factor at a time: a whole number of tiles of every height.
constexpr Index kRowBlock = 96;
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

}  // namespace

template <typename T>
ProductLoops<T> productLoops(const Kernels& kernels) {
    return {productTable().of<T>().products, kernels.of<T>()};
}

template <typename T>
void ResultProduct<T>::compute(const ProductLoops<T>& loops, const Block& block) const {
    const ProductKernels<T>& k = loops.products;
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
            if (last && finish.function != nullptr)
                finish.function(finish.context, b, into, stride);
        } else if (!apart) {
            k.multiply(into, product);
        } else {
            float* total = sums + sumRow * columnsAtOnce;
            product.stride = columnsAtOnce;
            k.multiplyIntoFloats(total, product);
            if (last && finish.function != nullptr)
                finish.function(finish.context, b, total, columnsAtOnce);
            else if (last)
                for (Index i = 0; i < b.rows; ++i)
                    loops.elements.fromFloats(into + i * stride, total + i * columnsAtOnce,
                                              b.columns);
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
void addTransposedProduct(const ProductLoops<T>& loops, float* c, Index stride, MatrixView<T> left,
                          MatrixView<T> right, Index rows, Index columns, Index depth) {
    const ProductKernels<T>& k = loops.products;
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
                k.packLeftTransposed(packedLeft, left.at(from, row), left.stride, height, count);
                k.multiplyIntoFloats(c + row * stride + column,
                                     {.left = {packedLeft, 4, height * 4},
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

template ProductLoops<float> productLoops(const Kernels&);
template ProductLoops<BFloat16> productLoops(const Kernels&);
template struct ResultProduct<float>;
template struct ResultProduct<BFloat16>;
template void addTransposedProduct(const ProductLoops<float>&, float*, Index, MatrixView<float>,
                                   MatrixView<float>, Index, Index, Index);
template void addTransposedProduct(const ProductLoops<BFloat16>&, float*, Index,
                                   MatrixView<BFloat16>, MatrixView<BFloat16>, Index, Index, Index);

}  // namespace core::cpu
