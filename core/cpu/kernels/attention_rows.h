// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/attention_kernels.h"
#include "core/cpu/kernels/keep.h"
#include "core/cpu/kernels/simd.h"

// What happens to one query's row of scores between the products of attention. A `Row` of scores is
// `wide` floats, a multiple of kLanes; the query sees the first `seen` of them at most.
namespace core::cpu::UPCYCLER_ISA {

constexpr float kInfinity = __builtin_inff();

UPCYCLER_INLINE Index padded(Index n) { return (n + kLanes - 1) / kLanes * kLanes; }

UPCYCLER_INLINE Index least(Index a, Index b) { return a < b ? a : b; }

struct Row {
    Index query;
    Index seen;
    Index wide;
};

/// The first `count` lanes.
UPCYCLER_INLINE IntVec lanesBelow(Index count) {
    IntVec lanes{};
    for (int i = 0; i < kLanes; ++i) lanes[i] = i;
    return lanes < static_cast<std::int32_t>(count < kLanes ? count : kLanes);
}

/// Scores as softmax sees them: scale * score + bias, -infinity where the mask hides the key.
template <typename T>
struct ScoreReader {
    const HeadView<T>& view;
    const float* scores;
    const float* bias;
    const float* penalty;

    ScoreReader(const HeadView<T>& head, const float* from, Index query, const float* hidden)
        : view(head),
          scores(from),
          bias(head.bias == nullptr ? nullptr : head.bias + query * head.keys),
          penalty(hidden) {}

    /// Scores j ... j + kLanes, of which `count` are real.
    UPCYCLER_INLINE Vec added(Vec x, const float* terms, Index count) {
        return x + (count >= kLanes ? load(terms) : loadPart(terms, static_cast<int>(count)));
    }

    __attribute__((always_inline)) Vec at(Index j, Index count) const {
        Vec x = load(scores + j) * view.scale;
        if (bias != nullptr) x = added(x, bias + j, count);
        if (penalty != nullptr) x = added(x, penalty + j, count);
        return x;
    }
};

/// What dropout leaves of a query's probabilities (or of their gradients).
template <typename T>
void dropRow(float* row, const HeadView<T>& view, const Row& r) {
    const std::uint64_t first = view.firstKept + static_cast<std::uint64_t>(r.query * view.keys);
    forKept(
        view.keep, first,
        r.seen, [&](Index j, IntVec kept, auto get, auto put) __attribute__((always_inline)) {
            put(row + j, kept ? get(row + j) * view.keep.factor : Vec{});
        });
}

template <typename W>
UPCYCLER_INLINE void storeRow(W* into, const float* row, Index wide) {
    for (Index j = 0; j < wide; j += kLanes) store(into + j, load(row + j));
}

struct RowSum {
    float most;
    float sum;
};

/// weights = exp(score - most) after dropout, 0 for keys that are not seen; `scores` is used up,
/// and may be `weights`. Without a key that is seen the exponentials count as a sum of 1.
template <typename W, typename T>
RowSum expRow(W* weights, float* scores, const HeadView<T>& view, const Row& r,
              const float* penalty) {
    const ScoreReader<T> reader(view, scores, r.query, penalty);
    const Index end = padded(r.seen) - kLanes;
    const IntVec last = lanesBelow(r.seen - end);
    Vec most = last != 0 ? reader.at(end, r.seen - end) : splat(-kInfinity);
    for (Index j = 0; j < end; j += kLanes) most = max(reader.at(j, kLanes), most);
    const float highest = largest(most);
    const float shift = highest == -kInfinity ? 0.0F : highest;
    const bool drops = view.keep.threshold != 0;
    Vec total{};
    for (Index j = 0; j < end; j += kLanes) {
        const Vec e = exp(reader.at(j, kLanes) - shift);
        total += e;
        if (drops)
            store(scores + j, e);
        else
            store(weights + j, e);
    }
    const Vec e = last != 0 ? exp(reader.at(end, r.seen - end) - shift) : Vec{};
    total += e;
    if (drops) {
        store(scores + end, e);
        dropRow(scores, view, r);
        storeRow(weights, scores, end + kLanes);
    } else {
        store(weights + end, e);
    }
    for (Index j = end + kLanes; j < r.wide; j += kLanes) store(weights + j, Vec{});
    const float all = sum(total);
    return {shift, all == 0.0F ? 1.0F : all};
}

/// Where the two rows of a query's backward pass go: floats for the sums and dropout, W for the
/// products.
template <typename W>
struct BackwardRows {
    float* scores;
    float* dScores;
    W* weights;
    W* dWeights;
};

/// weights = probabilities after dropout, dWeights = scale * p * (dP - sum of p * dP), 0 for keys
/// that are not seen; dBias (or null) += dWeights / scale. What dropout leaves of dP is worked out
/// first. Probabilities add up to 1 and the sum is
/// that of these very numbers, so that a row of dWeights cancels: the gradient of the bias of keys
/// is nothing but such rows' sums.
template <typename W, typename T>
void softmaxBackwardRow(const BackwardRows<W>& rows, const HeadView<T>& view, const Row& r,
                        const float* penalty, float logSumExp_, float* dBias) {
    const bool drops = view.keep.threshold != 0;
    if (drops) dropRow(rows.dScores, view, r);
    const ScoreReader<T> reader(view, rows.scores, r.query, penalty);
    const Index end = padded(r.seen) - kLanes;
    const IntVec last = lanesBelow(r.seen - end);
    Vec total{};
    Vec inner{};
    for (Index j = 0; j < end; j += kLanes) {
        const Vec p = exp(reader.at(j, kLanes) - logSumExp_);
        store(rows.scores + j, p);
        total += p;
        inner += p * load(rows.dScores + j);
    }
    const Vec p = last != 0 ? exp(reader.at(end, r.seen - end) - logSumExp_) : Vec{};
    const Vec dP = last != 0 ? load(rows.dScores + end) : Vec{};
    store(rows.scores + end, p);
    store(rows.dScores + end, dP);
    const float all = sum(total + p);
    const float norm = all == 0.0F ? 0.0F : 1.0F / all;
    const float mean = sum(inner + p * dP) * norm;
    float* const sums = dBias == nullptr ? nullptr : dBias + r.query * view.keys;
    for (Index j = 0; j <= end; j += kLanes) {
        const Vec q = load(rows.scores + j) * norm;
        const Vec slope = q * (load(rows.dScores + j) - mean);
        const int lanes = static_cast<int>(r.seen - j);
        if (sums != nullptr && lanes >= kLanes)
            store(sums + j, load(sums + j) + slope);
        else if (sums != nullptr)
            storePart(sums + j, loadPart(sums + j, lanes) + slope, lanes);
        store(rows.dWeights + j, slope * view.scale);
        if (drops)
            store(rows.scores + j, q);
        else
            store(rows.weights + j, q);
    }
    if (drops) {
        dropRow(rows.scores, view, r);
        storeRow(rows.weights, rows.scores, end + kLanes);
    }
    for (Index j = end + kLanes; j < r.wide; j += kLanes) {
        store(rows.weights + j, Vec{});
        store(rows.dWeights + j, Vec{});
    }
}

}  // namespace core::cpu::UPCYCLER_ISA
