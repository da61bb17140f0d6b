// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/attention.h"

#include "core/cpu/kernels/attention_rows.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

/// Query rows whose scores are in scratch at one time.
constexpr Index kBlock = 64;

/// Pieces of a scratch, each at a multiple of 64 bytes.
class Shelf {
  public:
    explicit Shelf(float* at) : at_(at) {}

    template <typename Element = float>
    Element* take(Index n) {
        constexpr Index kStep = 16;
        const Index floats = (n * static_cast<Index>(sizeof(Element)) + 3) / 4;
        auto* piece = reinterpret_cast<Element*>(at_ + taken_);
        taken_ += (floats + kStep - 1) / kStep * kStep;
        return piece;
    }

    Index taken() const { return taken_; }

  private:
    float* at_;
    Index taken_ = 0;
};

/// The matrices in scratch. Names ending in T are packed transposed: right factors of products over
/// the head's dimension; `keyRows` and the like are right factors of products over keys or queries.
template <typename T>
struct Pieces {
    using Types = MatrixTypes<T>;
    using Source = typename Types::Source;
    using W = typename Types::Weight;
    static constexpr bool kApart = sizeof(W) != sizeof(float);

    Index keyWidth, width, block, headWords, keyWords;
    std::uint32_t *keysT, *left;
    float *scores, *out, *penalty;
    W* weights;
    // forward
    std::uint32_t* valueRows;
    // backward
    std::uint32_t *valuesT, *keyRows, *queryRows, *dOutRows, *leftOfWeights;
    float *dScores, *dKeys, *dValues;
    W* dWeights;

    Pieces(Shelf& shelf, Index queries, Index keys, Index headDim, bool backward)
        : keyWidth(padded(keys)),
          width(padded(headDim)),
          block(least(queries, kBlock)),
          headWords(wordsOf<Source>(headDim)),
          keyWords(wordsOf<Source>(keys)),
          keysT(shelf.take<std::uint32_t>(rightWords(headWords, keys))),
          left(shelf.take<std::uint32_t>(block * headWords)),
          scores(shelf.take(block * keyWidth)),
          out(shelf.take(block * width)),
          penalty(shelf.take(keyWidth)),
          weights(kApart ? shelf.take<W>(block * keyWidth) : reinterpret_cast<W*>(scores)) {
        if (!backward) {
            valueRows = shelf.take<std::uint32_t>(rightWords(keyWords, headDim));
            return;
        }
        const Index blockWords = wordsOf<Source>(block);
        valuesT = shelf.take<std::uint32_t>(rightWords(headWords, keys));
        keyRows = shelf.take<std::uint32_t>(rightWords(keyWords, headDim));
        queryRows = shelf.take<std::uint32_t>(rightWords(blockWords, headDim));
        dOutRows = shelf.take<std::uint32_t>(rightWords(blockWords, headDim));
        leftOfWeights = shelf.take<std::uint32_t>(kApart ? blockWords * keyWidth : 0);
        dScores = shelf.take(block * keyWidth);
        dKeys = shelf.take(keys * width);
        dValues = shelf.take(keys * width);
        dWeights = kApart ? shelf.take<W>(block * keyWidth) : reinterpret_cast<W*>(dScores);
    }

    /// `rows` rows of q or dOut as the left factor of scores.
    LeftFactor leftRows(const T* from, Index stride, Index rows, Index headDim) const {
        if (inPlace<Source, T>(headDim)) return {from, stride * Index{sizeof(T)}, 4};
        packLeft<Source>(left, from, stride, rows, headDim);
        return {left, headWords * 4, 4};
    }

    /// Rows of weights, keys being the depth.
    LeftFactor rowsOf(const W* from) const { return {from, keyWidth * Index{sizeof(W)}, 4}; }

    /// Their transpose: `rows` queries are the depth.
    LeftFactor columnsOf(const W* from, Index rows, Index keys) const {
        if constexpr (!kApart) {
            return {from, 4, keyWidth * 4};
        } else {
            packLeftTransposed<typename Types::WeightSource>(leftOfWeights, from, keyWidth, keys,
                                                             rows);
            return {leftOfWeights, 4, keys * 4};
        }
    }

    /// Scores of `rows` queries and all keys up to `seen`, to whole panels of the keys.
    void scoresOf(float* into, const LeftFactor& rows, const std::uint32_t* right, Index count,
                  Index seen) const {
        constexpr Index kPanel = kPanelVectors * kLanes;
        multiplyBlock<typename Types::Arithmetic>(
            into, {.left = rows,
                   .right = right,
                   .rows = count,
                   .columns = least(keyWidth, (seen + kPanel - 1) / kPanel * kPanel),
                   .words = headWords,
                   .panelWords = headWords,
                   .stride = keyWidth,
                   .bias = nullptr,
                   .accumulate = false});
    }

    /// into [rows, width] = or += left * right, over `depth` keys or queries of right's `all`.
    void sumsOf(float* into, const LeftFactor& factor, const std::uint32_t* right, Index rows,
                Index depth, Index all, bool accumulate) const {
        multiplyBlock<typename Types::Arithmetic>(into, {.left = factor,
                                                         .right = right,
                                                         .rows = rows,
                                                         .columns = width,
                                                         .words = wordsOf<Source>(depth),
                                                         .panelWords = wordsOf<Source>(all),
                                                         .stride = width,
                                                         .bias = nullptr,
                                                         .accumulate = accumulate});
    }
};

/// factor * rows of `width` floats into rows of T.
template <typename T>
void unpackRows(T* into, Index stride, const float* from, Index width, Index rows, Index columns,
                const float* divisors) {
    for (Index r = 0; r < rows; ++r) {
        const float factor = divisors == nullptr ? 1.0F : 1.0F / divisors[r];
        forVectors(
            columns, [&](Index c, auto, auto put) __attribute__((always_inline)) {
                put(into + r * stride + c, load(from + r * width + c) * factor);
            });
    }
}

/// 0 for the keys that the mask shows, -infinity for the others; null without a mask.
template <typename T>
const float* penaltyOf(const HeadView<T>& view, float* into) {
    if (view.mask == nullptr) return nullptr;
    for (Index j = 0; j < view.keys; ++j) into[j] = view.mask[j] != 0 ? 0.0F : -kInfinity;
    return into;
}

/// Keys up to the last one that the mask shows, at least 1: padding at the end costs nothing.
template <typename T>
Index shownKeys(const HeadView<T>& view) {
    Index shown = view.keys;
    while (view.mask != nullptr && shown > 1 && view.mask[shown - 1] == 0) --shown;
    return shown;
}

/// Query `query` within a block whose queries see `seen` keys at most.
template <typename T>
Row rowOf(const HeadView<T>& view, Index query, Index seen) {
    return {query, least(seen, query + view.sight), padded(seen)};
}

}  // namespace

template <typename T>
Index Attention<T>::scratch(Index queries, Index keys, Index headDim) {
    Shelf forward(nullptr);
    Shelf backward(nullptr);
    const Pieces<T> one(forward, queries, keys, headDim, false);
    const Pieces<T> other(backward, queries, keys, headDim, true);
    const Index most = forward.taken() > backward.taken() ? forward.taken() : backward.taken();
    return most;
}

template <typename T>
void Attention<T>::forward(T* o, float* logSumExp_, const HeadView<T>& view, float* scratch) {
    using Source = typename MatrixTypes<T>::Source;
    Shelf shelf(scratch);
    const Pieces<T> p(shelf, view.queries, view.keys, view.headDim, false);
    const Index shown = shownKeys(view);
    const float* penalty = penaltyOf(view, p.penalty);
    packRightTransposed<Source>(p.keysT, view.k, view.stride, view.headDim, view.keys);
    packRight<Source>(p.valueRows, view.v, view.stride, view.keys, view.headDim);
    for (Index top = 0; top < view.queries; top += p.block) {
        const Index rows = least(p.block, view.queries - top);
        const Index seen = least(shown, top + rows - 1 + view.sight);
        p.scoresOf(p.scores,
                   p.leftRows(view.q + top * view.stride, view.stride, rows, view.headDim), p.keysT,
                   rows, seen);
        float sums[kBlock];
        float* shifts = logSumExp_ + top;
        for (Index r = 0; r < rows; ++r) {
            const RowSum row = expRow(p.weights + r * p.keyWidth, p.scores + r * p.keyWidth, view,
                                      rowOf(view, top + r, seen), penalty);
            shifts[r] = row.most;
            sums[r] = row.sum;
        }
        p.sumsOf(p.out, p.rowsOf(p.weights), p.valueRows, rows, seen, view.keys, false);
        unpackRows(o + top * view.stride, view.stride, p.out, p.width, rows, view.headDim, sums);
        forVectors(
            rows, [&](Index r, auto get, auto put) __attribute__((always_inline)) {
                put(shifts + r, get(shifts + r) + log(get(sums + r)));
            });
    }
}

template <typename T>
void Attention<T>::backward(T* dq, T* dk, T* dv, float* dBias, const T* dOut,
                            const float* logSumExp_, const HeadView<T>& view, float* scratch) {
    using Source = typename MatrixTypes<T>::Source;
    const Index stride = view.stride;
    const Index headDim = view.headDim;
    Shelf shelf(scratch);
    const Pieces<T> p(shelf, view.queries, view.keys, headDim, true);
    const Index shown = shownKeys(view);
    const float* penalty = penaltyOf(view, p.penalty);
    packRightTransposed<Source>(p.keysT, view.k, stride, headDim, view.keys);
    packRightTransposed<Source>(p.valuesT, view.v, stride, headDim, view.keys);
    packRight<Source>(p.keyRows, view.k, stride, view.keys, headDim);
    for (Index i = 0; i < view.keys * p.width; ++i) p.dKeys[i] = p.dValues[i] = 0.0F;
    for (Index top = 0; top < view.queries; top += p.block) {
        const Index rows = least(p.block, view.queries - top);
        const Index seen = least(shown, top + rows - 1 + view.sight);
        const T* queries = view.q + top * stride;
        const T* slopes = dOut + top * stride;
        p.scoresOf(p.scores, p.leftRows(queries, stride, rows, headDim), p.keysT, rows, seen);
        p.scoresOf(p.dScores, p.leftRows(slopes, stride, rows, headDim), p.valuesT, rows, seen);
        for (Index r = 0; r < rows; ++r) {
            const Index at = r * p.keyWidth;
            softmaxBackwardRow<typename Pieces<T>::W>(
                {p.scores + at, p.dScores + at, p.weights + at, p.dWeights + at}, view,
                rowOf(view, top + r, seen), penalty, logSumExp_[top + r], dBias);
        }
        packRight<Source>(p.queryRows, queries, stride, rows, headDim);
        packRight<Source>(p.dOutRows, slopes, stride, rows, headDim);
        p.sumsOf(p.dValues, p.columnsOf(p.weights, rows, seen), p.dOutRows, seen, rows, rows, true);
        p.sumsOf(p.dKeys, p.columnsOf(p.dWeights, rows, seen), p.queryRows, seen, rows, rows, true);
        p.sumsOf(p.out, p.rowsOf(p.dWeights), p.keyRows, rows, seen, view.keys, false);
        unpackRows(dq + top * stride, stride, p.out, p.width, rows, headDim, nullptr);
    }
    unpackRows(dk, stride, p.dKeys, p.width, view.keys, headDim, nullptr);
    unpackRows(dv, stride, p.dValues, p.width, view.keys, headDim, nullptr);
}

template struct Attention<float>;
template struct Attention<BFloat16>;

}  // namespace core::cpu::UPCYCLER_ISA
