// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/keep.h"
#include "core/cpu/kernels/product.h"
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

/// Query rows whose scores are in scratch at one time.
constexpr Index kBlock = 64;
constexpr float kInfinity = __builtin_inff();

Index padded(Index n) { return (n + kLanes - 1) / kLanes * kLanes; }

Index least(Index a, Index b) { return a < b ? a : b; }

/// rows x columns of `from` into rows of padded(columns) floats, zeros at their ends.
void packRows(float* into, const float* from, Index stride, Index rows, Index columns) {
    const Index width = padded(columns);
    const Index whole = columns / kLanes * kLanes;
    for (Index r = 0; r < rows; ++r, into += width, from += stride) {
        for (Index c = 0; c < whole; c += kLanes) store(into + c, load(from + c));
        if (whole < columns)
            store(into + whole, loadPart(from + whole, static_cast<int>(columns - whole)));
    }
}

void unpackRows(float* into, Index stride, const float* from, Index rows, Index columns) {
    const Index width = padded(columns);
    for (Index r = 0; r < rows; ++r)
        forVectors(
            columns, [&](Index c, auto, auto put) __attribute__((always_inline)) {
                put(into + r * stride + c, load(from + r * width + c));
            });
}

/// factor * the transpose of `from` [rows, columns]: `columns` rows of padded(rows) floats, zeros
/// at their ends.
void packTransposed(float* into, const float* from, Index stride, Index rows, Index columns,
                    float factor) {
    typedef float Four __attribute__((vector_size(16)));
    typedef float UnalignedFour __attribute__((vector_size(16), aligned(4), may_alias));
    const Index width = padded(rows);
    Index r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float* x = from + r * stride;
        Index c = 0;
        for (; c + 4 <= columns; c += 4) {
            const Four a = *reinterpret_cast<const UnalignedFour*>(x + c) * factor;
            const Four b = *reinterpret_cast<const UnalignedFour*>(x + stride + c) * factor;
            const Four d = *reinterpret_cast<const UnalignedFour*>(x + 2 * stride + c) * factor;
            const Four e = *reinterpret_cast<const UnalignedFour*>(x + 3 * stride + c) * factor;
            const Four abLow = __builtin_shufflevector(a, b, 0, 4, 1, 5);
            const Four abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            const Four deLow = __builtin_shufflevector(d, e, 0, 4, 1, 5);
            const Four deHigh = __builtin_shufflevector(d, e, 2, 6, 3, 7);
            float* y = into + c * width + r;
            *reinterpret_cast<UnalignedFour*>(y) =
                __builtin_shufflevector(abLow, deLow, 0, 1, 4, 5);
            *reinterpret_cast<UnalignedFour*>(y + width) =
                __builtin_shufflevector(abLow, deLow, 2, 3, 6, 7);
            *reinterpret_cast<UnalignedFour*>(y + 2 * width) =
                __builtin_shufflevector(abHigh, deHigh, 0, 1, 4, 5);
            *reinterpret_cast<UnalignedFour*>(y + 3 * width) =
                __builtin_shufflevector(abHigh, deHigh, 2, 3, 6, 7);
        }
        for (; c < columns; ++c)
            for (Index k = 0; k < 4; ++k) into[c * width + r + k] = x[k * stride + c] * factor;
    }
    for (; r < rows; ++r)
        for (Index c = 0; c < columns; ++c) into[c * width + r] = from[r * stride + c] * factor;
    for (Index c = 0; c < columns; ++c)
        for (Index k = rows; k < width; ++k) into[c * width + k] = 0.0F;
}

/// Lanes of a row's last vector that are real keys.
IntVec lastLanes(Index keys) {
    IntVec lanes{};
    for (int i = 0; i < kLanes; ++i) lanes[i] = i < keys - (padded(keys) - kLanes) ? -1 : 0;
    return lanes;
}

/// Scores of one query -> exp(score - most), 0 in the padding.
struct RowSum {
    float most;
    float sum;
};

/// Without a key that is seen the exponentials are 0 and count as a sum of 1.
RowSum expRow(float* scores, Index keys, IntVec last) {
    const Index end = padded(keys) - kLanes;
    Vec most = last != 0 ? load(scores + end) : splat(-kInfinity);
    for (Index j = 0; j < end; j += kLanes) most = max(load(scores + j), most);
    const float highest = largest(most);
    const float shift = highest == -kInfinity ? 0.0F : highest;
    Vec total{};
    for (Index j = 0; j < end; j += kLanes) {
        const Vec e = exp(load(scores + j) - shift);
        store(scores + j, e);
        total += e;
    }
    const Vec e = last != 0 ? exp(load(scores + end) - shift) : Vec{};
    store(scores + end, e);
    const float all = sum(total + e);
    return {shift, all == 0.0F ? 1.0F : all};
}

/// Scores -> probabilities in place, and dScores = scale * p * (dP - sum of p * dP), 0 in the
/// padding. Probabilities add up to 1 and the sum is that of these very numbers, so that a row of
/// dScores cancels: the gradient of the keys' bias is nothing but such rows' sums.
void softmaxBackwardRow(float* scores, float* dScores, Index keys, IntVec last, float logSumExp_,
                        float scale) {
    const Index end = padded(keys) - kLanes;
    Vec total{};
    Vec inner{};
    for (Index j = 0; j < end; j += kLanes) {
        const Vec p = exp(load(scores + j) - logSumExp_);
        store(scores + j, p);
        total += p;
        inner += p * load(dScores + j);
    }
    const Vec p = last != 0 ? exp(load(scores + end) - logSumExp_) : Vec{};
    const Vec dP = last != 0 ? load(dScores + end) : Vec{};
    store(scores + end, p);
    store(dScores + end, dP);
    const float all = sum(total + p);
    const float norm = all == 0.0F ? 0.0F : 1.0F / all;
    const float mean = sum(inner + p * dP) * norm;
    for (Index j = 0; j <= end; j += kLanes) {
        const Vec q = load(scores + j) * norm;
        store(scores + j, q);
        store(dScores + j, q * (load(dScores + j) - mean) * scale);
    }
}

/// 0 for the keys that the mask shows, -infinity for the others; null without a mask.
const float* penaltyOf(const HeadView& view, float* into) {
    if (view.mask == nullptr) return nullptr;
    for (Index j = 0; j < view.keys; ++j) into[j] = view.mask[j] != 0 ? 0.0F : -kInfinity;
    return into;
}

/// Keys up to the last one that the mask shows, at least 1: padding at the end costs nothing.
Index shownKeys(const HeadView& view) {
    Index shown = view.keys;
    while (view.mask != nullptr && shown > 1 && view.mask[shown - 1] == 0) --shown;
    return shown;
}

/// Of `shown` keys those that the queries below `end` see at most.
Index seenBelow(const HeadView& view, Index shown, Index end) {
    return least(shown, end - 1 + view.sight);
}

/// Adds the bias to the first `seen` scores of a query; -infinity where it does not see the key.
void limitRow(float* scores, const HeadView& view, Index query, Index seen, const float* penalty) {
    const float* bias = view.bias == nullptr ? nullptr : view.bias + query * view.keys;
    if (bias != nullptr || penalty != nullptr)
        forVectors(
            seen, [&](Index j, auto get, auto put) __attribute__((always_inline)) {
                Vec x = get(scores + j);
                if (bias != nullptr) x += get(bias + j);
                if (penalty != nullptr) x += get(penalty + j);
                put(scores + j, x);
            });
    for (Index j = query + view.sight; j < seen; ++j) scores[j] = -kInfinity;
}

/// What dropout leaves of a query's first `seen` probabilities (or of their gradients).
void dropRow(float* row, const HeadView& view, Index query, Index seen) {
    if (view.keep.threshold == 0) return;
    const std::uint64_t first = view.firstKept + static_cast<std::uint64_t>(query * view.keys);
    forKept(
        view.keep, first,
        seen, [&](Index j, IntVec kept, auto get, auto put) __attribute__((always_inline)) {
            put(row + j, kept ? get(row + j) * view.keep.factor : Vec{});
        });
}

/// dBias += dScores / scale, row by row.
void addBiasRow(float* dBias, const float* dScores, const HeadView& view, Index query, Index seen) {
    const float factor = 1.0F / view.scale;
    float* row = dBias + query * view.keys;
    forVectors(
        seen, [&](Index j, auto get, auto put) __attribute__((always_inline)) {
            put(row + j, get(row + j) + get(dScores + j) * factor);
        });
}

}  // namespace

Index attentionScratch(Index queries, Index keys, Index headDim) {
    const Index block = least(queries, kBlock);
    const Index transposed = headDim * padded(keys);
    const Index byKey = keys * padded(headDim);
    return 2 * transposed + 3 * byKey + block * (2 * padded(keys) + 3 * padded(headDim)) +
           padded(keys) + kLanes;
}

void attentionForward(float* o, float* logSumExp_, const HeadView& view, float* scratch) {
    const Index keys = view.keys;
    const Index keyWidth = padded(keys);
    const Index width = padded(view.headDim);
    const Index block = least(view.queries, kBlock);
    float* keysT = scratch;
    float* values = keysT + view.headDim * keyWidth;
    float* scores = values + keys * width;
    float* out = scores + block * keyWidth;
    const Index shown = shownKeys(view);
    const float* penalty = penaltyOf(view, out + block * width);
    packTransposed(keysT, view.k, view.stride, keys, view.headDim, view.scale);
    packRows(values, view.v, view.stride, keys, view.headDim);
    for (Index top = 0; top < view.queries; top += block) {
        const Index rows = least(block, view.queries - top);
        const Index seen = seenBelow(view, shown, top + rows);
        const IntVec last = lastLanes(seen);
        product<false>(scores, keyWidth, {view.q + top * view.stride, view.stride, 1}, keysT,
                       keyWidth, rows, padded(seen), view.headDim);
        float sums[kBlock];
        float* shifts = logSumExp_ + top;
        for (Index r = 0; r < rows; ++r) {
            float* line = scores + r * keyWidth;
            limitRow(line, view, top + r, seen, penalty);
            const RowSum row = expRow(line, seen, last);
            dropRow(line, view, top + r, seen);
            shifts[r] = row.most;
            sums[r] = row.sum;
        }
        product<false>(out, width, {scores, keyWidth, 1}, values, width, rows, width, seen);
        for (Index r = 0; r < rows; ++r)
            Elementwise<float>::scaled(o + (top + r) * view.stride, out + r * width, 1.0F / sums[r],
                                       view.headDim);
        forVectors(
            rows, [&](Index r, auto get, auto put) __attribute__((always_inline)) {
                put(shifts + r, get(shifts + r) + log(get(sums + r)));
            });
    }
}

void attentionBackward(float* dq, float* dk, float* dv, float* dBias, const float* dOut,
                       const float* logSumExp_, const HeadView& view, float* scratch) {
    const Index keys = view.keys;
    const Index stride = view.stride;
    const Index headDim = view.headDim;
    const Index keyWidth = padded(keys);
    const Index width = padded(headDim);
    const Index block = least(view.queries, kBlock);
    float* keysT = scratch;
    float* valuesT = keysT + headDim * keyWidth;
    float* keyRows = valuesT + headDim * keyWidth;
    float* dKeys = keyRows + keys * width;
    float* dValues = dKeys + keys * width;
    float* scores = dValues + keys * width;
    float* dScores = scores + block * keyWidth;
    float* queryRows = dScores + block * keyWidth;
    float* dOutRows = queryRows + block * width;
    float* dQueries = dOutRows + block * width;
    const Index shown = shownKeys(view);
    const float* penalty = penaltyOf(view, dQueries + block * width);
    packTransposed(keysT, view.k, stride, keys, headDim, view.scale);
    packTransposed(valuesT, view.v, stride, keys, headDim, 1.0F);
    packRows(keyRows, view.k, stride, keys, headDim);
    for (Index i = 0; i < keys * width; ++i) dKeys[i] = dValues[i] = 0.0F;
    for (Index top = 0; top < view.queries; top += block) {
        const Index rows = least(block, view.queries - top);
        const Index at = top * stride;
        const Index seen = seenBelow(view, shown, top + rows);
        const IntVec last = lastLanes(seen);
        packRows(queryRows, view.q + at, stride, rows, headDim);
        packRows(dOutRows, dOut + at, stride, rows, headDim);
        product<false>(scores, keyWidth, {queryRows, width, 1}, keysT, keyWidth, rows, padded(seen),
                       headDim);
        product<false>(dScores, keyWidth, {dOutRows, width, 1}, valuesT, keyWidth, rows,
                       padded(seen), headDim);
        for (Index r = 0; r < rows; ++r) {
            float* line = scores + r * keyWidth;
            float* dLine = dScores + r * keyWidth;
            limitRow(line, view, top + r, seen, penalty);
            dropRow(dLine, view, top + r, seen);
            softmaxBackwardRow(line, dLine, seen, last, logSumExp_[top + r], view.scale);
            dropRow(line, view, top + r, seen);
            if (dBias != nullptr) addBiasRow(dBias, dLine, view, top + r, seen);
        }
        product<true>(dValues, width, {scores, 1, keyWidth}, dOutRows, width, seen, width, rows);
        product<true>(dKeys, width, {dScores, 1, keyWidth}, queryRows, width, seen, width, rows);
        product<false>(dQueries, width, {dScores, keyWidth, 1}, keyRows, width, rows, width, seen);
        unpackRows(dq + at, stride, dQueries, rows, headDim);
    }
    unpackRows(dk, stride, dKeys, keys, headDim);
    unpackRows(dv, stride, dValues, keys, headDim);
}

}  // namespace core::cpu::UPCYCLER_ISA
