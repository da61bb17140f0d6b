// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace core {

/// A handle whose elements an op overwrites.
using Out = const Tensor&;
/// A handle whose elements an op adds to (gradients) or updates in place (weights, moments).
using InOut = const Tensor&;

/// Pointwise nonlinearities of the MLPs: exact erf GELU (HF "gelu"), tanh GELU ("gelu_new",
/// "gelu_pytorch_tanh"), ReLU, SiLU.
enum class Activation { GeluErf, GeluTanh, Relu, Silu };

/// q, k, v, o are [batch * length, heads * headDim], heads side by side in a row.
struct AttentionShape {
    std::int64_t batch = 0;
    std::int64_t heads = 0;
    std::int64_t queries = 0;
    std::int64_t keys = 0;
    std::int64_t headDim = 0;
    float scale = 1.0F;
};

/// What attention does besides softmax(scale * q k^T) v; by default nothing.
struct AttentionOptions {
    Tensor bias;  ///< F32 [heads, queries, keys], finite, added to the scaled scores; or undefined
    Tensor keyMask;       ///< U8 [batch, keys], 0 = not seen; undefined = all seen
    bool causal = false;  ///< query i sees keys <= i + queryOffset
    std::int64_t queryOffset = 0;
    std::int64_t keyStride = 0;  ///< rows of k and v per batch entry, at least keys (a cache is
                                 ///< longer); 0 = keys
    float dropout = 0.0F;  ///< rate on the probabilities, as dropout.h by (dropoutKey, index in
                           ///< [batch, heads, queries, keys])
    std::uint64_t dropoutKey = 0;
};

/// T5's buckets of relative positions; queryOffset is the position of the first query (the first
/// key's is 0).
struct RelativeBuckets {
    bool bidirectional = true;
    std::int64_t buckets = 32;
    std::int64_t maxDistance = 128;
    std::int64_t queryOffset = 0;
};

/// Which expert gets which token: the router's decision for one MoE layer over n token rows. Slots
/// are the accepted (token, expert) pairs, sorted by expert, then by routing group, then by place
/// (Expert Choice: decreasing probability; Top-K: the order of placement). Slots of expert e are
/// [offsets[e], offsets[e+1]).
struct Assignment {
    std::int64_t tokens = 0;   ///< n, padding included
    std::int64_t experts = 0;  ///< E
    /// [E + 1], host; empty where only the device knows them (ops::readCounts fetches them).
    std::vector<std::int64_t> offsets;
    Tensor offsetsThere{};  ///< I64 [E + 1] on the device, or undefined where the host has them
    std::int64_t room = 0;  ///< then: at least as many as there are slots; the rest is no one's
    Tensor slotToken;       ///< I32 [slots]: token row, -1 where the slot is no one's
    Tensor slotExpert;      ///< I32 [slots]
    Tensor tokenOffsets;    ///< I32 [n + 1]: a token's slots are tokenSlots[tokenOffsets[t] ...]
    Tensor tokenSlots;      ///< I32 [slots], increasing per token
    std::vector<std::int64_t> requested;  ///< [E], host as `offsets`: assignments asked for before
                                          ///< capacity (Top-K); for Expert Choice = accepted
    std::vector<std::int64_t>
        groupTokens;        ///< [groups], host: real (not padding) tokens per routing group
    Tensor groupRequested;  ///< F32 [groups, E]: asked-for assignments per group (Top-K), for the
                            ///< aux loss
    Tensor askedExperts;    ///< I32 [n, k]: experts asked for by each token (Top-K; -1 in padding
                            ///< rows), else undefined
    /// Rows of the tables and of what is dispatched.
    std::int64_t slots() const { return offsets.empty() ? room : offsets.back(); }
};

/// Which rows are whose expert's: [offsets[e], offsets[e + 1]). Where only the device knows the
/// offsets, rows past the last one are no expert's.
struct ExpertOffsets {
    std::span<const std::int64_t> host{};  ///< [E + 1]; empty where only the device knows them
    Tensor there{};                        ///< I64 [E + 1] on the device, then
    // NOLINTBEGIN(google-explicit-constructor): callers hand over what they have
    ExpertOffsets(std::span<const std::int64_t> offsets) : host(offsets) {}
    ExpertOffsets(const std::vector<std::int64_t>& offsets) : host(offsets) {}
    template <std::size_t N>
    ExpertOffsets(const std::array<std::int64_t, N>& offsets) : host(offsets) {}
    ExpertOffsets(const Assignment& assignment)
        : host(assignment.offsets), there(assignment.offsetsThere) {}
    // NOLINTEND(google-explicit-constructor)
};

/// Whose assignments of Top-K are placed first, where an expert's capacity binds.
enum class TopKPlacement {
    ChoicesFirst,   ///< first choices of all tokens, then second ones ..., each in token order
    BatchPriority,  ///< the same with tokens by decreasing largest score, ties to the lower row
    TokenOrder,     ///< all choices of a token, best first, before the next token's: no token's
                    ///< place depends on a later one (causal decoders)
};

/// How Top-K routing chooses.
struct TopKRule {
    int k = 2;
    double capacity = 2.0;  ///< capacity factor
    bool dropless = false;  ///< no capacity
    TopKPlacement placement = TopKPlacement::ChoicesFirst;
    std::int64_t fixedSlots = 0;  ///< > 0: slots per expert in every group, whatever its size, in
                                  ///< place of capacity and dropless (SwitchTransformers)
};

/// Rows [begin, end) of each routing group, and which rows are real tokens.
struct RoutingGroups {
    std::vector<std::int64_t> begins;  ///< [groups + 1], increasing, from 0 to n
    Tensor mask;                       ///< U8 [n], 1 = real token; undefined = all real
    /// [groups], how many of them are real, where that is known; empty: the mask is counted.
    std::vector<std::int64_t> realTokens{};
};

}  // namespace core
