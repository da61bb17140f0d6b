// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"

#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/ops/assignment.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace core::cpu {
namespace {

using TokenLists = std::vector<std::vector<std::int32_t>>;

/// Sorts by decreasing score, then by increasing index, as one integer: larger is better. NaN is
/// below everything, -0 equals 0.
std::uint64_t rankKey(float score, std::int64_t index) {
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
    const bool nan = score != score;
    const bool negative = (bits >> 31U) != 0;
    const std::uint32_t ordered = nan ? 0U : negative ? ~bits : bits | 0x80000000U;
    return (std::uint64_t{ordered} << 32U) | (0xFFFFFFFFU - static_cast<std::uint32_t>(index));
}

std::int64_t indexOf(std::uint64_t key) {
    return static_cast<std::int64_t>(0xFFFFFFFFU - static_cast<std::uint32_t>(key));
}

TokenLists realTokens(const RoutingGroups& groups) {
    const std::uint8_t* mask = groups.mask.defined() ? groups.mask.data<std::uint8_t>() : nullptr;
    TokenLists tokens(groups.begins.size() - 1);
    for (std::size_t g = 0; g < tokens.size(); ++g)
        for (std::int64_t t = groups.begins[g]; t < groups.begins[g + 1]; ++t)
            if (mask == nullptr || mask[t] != 0) tokens[g].push_back(static_cast<std::int32_t>(t));
    return tokens;
}

std::vector<std::int64_t> sizesOf(const TokenLists& lists) {
    std::vector<std::int64_t> sizes;
    for (const auto& list : lists) sizes.push_back(static_cast<std::int64_t>(list.size()));
    return sizes;
}

/// The `count` tokens of one group with the largest score for an expert, best first.
void chooseTokens(std::vector<std::int32_t>& chosen, const std::vector<std::int32_t>& tokens,
                  const float* column, std::int64_t stride, std::int64_t count) {
    std::vector<std::uint64_t> keys(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i)
        keys[i] = rankKey(column[tokens[i] * stride], tokens[i]);
    const auto middle = keys.begin() + count;
    if (middle != keys.end()) std::nth_element(keys.begin(), middle, keys.end(), std::greater<>());
    std::sort(keys.begin(), middle, std::greater<>());
    for (auto key = keys.begin(); key != middle; ++key)
        chosen.push_back(static_cast<std::int32_t>(indexOf(*key)));
}

/// Experts asked for, [n, k], best first; -1 in padding rows.
Tensor askExperts(const Tensor& scores, const TokenLists& groups, std::int64_t k) {
    const std::int64_t experts = scores.size(1);
    Tensor asked = Tensor::host({scores.size(0), k}, DType::I32);
    auto* into = asked.data<std::int32_t>();
    std::fill_n(into, asked.elements(), -1);
    const float* score = scores.data<float>();
    for (const auto& tokens : groups)
        parallelFor(
            static_cast<std::int64_t>(tokens.size()), rowGrain(16 * experts),
            [&](std::int64_t begin, std::int64_t end, int) {
                std::vector<std::uint64_t> keys(static_cast<std::size_t>(experts));
                for (std::int64_t i = begin; i < end; ++i) {
                    const std::int32_t t = tokens[static_cast<std::size_t>(i)];
                    for (std::int64_t e = 0; e < experts; ++e)
                        keys[static_cast<std::size_t>(e)] = rankKey(score[t * experts + e], e);
                    std::partial_sort(keys.begin(), keys.begin() + k, keys.end(), std::greater<>());
                    for (std::int64_t j = 0; j < k; ++j)
                        into[t * k + j] =
                            static_cast<std::int32_t>(indexOf(keys[static_cast<std::size_t>(j)]));
                }
            });
    return asked;
}

/// By decreasing score of the first choice, ties by row.
void orderByPriority(std::vector<std::int32_t>& tokens, const float* score, std::int64_t experts,
                     const std::int32_t* asked, std::int64_t k) {
    std::vector<std::uint64_t> keys;
    for (const std::int32_t t : tokens)
        keys.push_back(rankKey(score[t * experts + asked[t * k]], t));
    std::sort(keys.begin(), keys.end(), std::greater<>());
    std::transform(keys.begin(), keys.end(), tokens.begin(),
                   [](std::uint64_t key) { return static_cast<std::int32_t>(indexOf(key)); });
}

/// First choices of all tokens in order, then second ones ... (tokenByToken: a token's choices
/// together); counts what was asked for.
void place(TokenLists& accepted, float* requested, const std::vector<std::int32_t>& tokens,
           const std::int32_t* asked, std::int64_t k, std::int64_t capacity, bool tokenByToken) {
    std::vector<std::int64_t> taken(accepted.size(), 0);
    const auto place = [&](std::int32_t t, std::int64_t choice) {
        const auto e = static_cast<std::size_t>(asked[t * k + choice]);
        requested[e] += 1.0F;
        if (taken[e] == capacity) return;
        ++taken[e];
        accepted[e].push_back(t);
    };
    if (tokenByToken)
        for (const std::int32_t t : tokens)
            for (std::int64_t choice = 0; choice < k; ++choice) place(t, choice);
    else
        for (std::int64_t choice = 0; choice < k; ++choice)
            for (const std::int32_t t : tokens) place(t, choice);
}

}  // namespace

Assignment CpuBackend::expertChoice(const Tensor& probabilities, const RoutingGroups& groups,
                                    double capacity) {
    start();
    const std::int64_t experts = probabilities.size(1);
    const TokenLists tokens = realTokens(groups);
    TokenLists accepted(static_cast<std::size_t>(experts));
    parallelFor(experts, 1, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t e = begin; e < end; ++e)
            for (const auto& group : tokens) {
                const auto n = static_cast<std::int64_t>(group.size());
                chooseTokens(accepted[static_cast<std::size_t>(e)], group,
                             probabilities.data<float>() + e, experts,
                             ops::expertCapacity(capacity, n, experts));
            }
    });
    Assignment a = ops::makeAssignment(probabilities.size(0), accepted);
    a.requested = sizesOf(accepted);
    a.groupTokens = sizesOf(tokens);
    return a;
}

Assignment CpuBackend::topK(const Tensor& scores, const RoutingGroups& groups,
                            const TopKRule& rule) {
    start();
    const std::int64_t experts = scores.size(1);
    TokenLists tokens = realTokens(groups);
    const std::int64_t k = rule.k;
    const Tensor asked = askExperts(scores, tokens, k);
    const auto* choices = asked.data<std::int32_t>();
    TokenLists accepted(static_cast<std::size_t>(experts));
    const Tensor requested = Tensor::zeros({static_cast<std::int64_t>(tokens.size()), experts});
    std::vector<std::int64_t> totals(static_cast<std::size_t>(experts), 0);
    for (std::size_t g = 0; g < tokens.size(); ++g) {
        if (rule.placement == TopKPlacement::BatchPriority)
            orderByPriority(tokens[g], scores.data<float>(), experts, choices, k);
        const auto n = static_cast<std::int64_t>(tokens[g].size());
        float* row = requested.data<float>() + static_cast<std::int64_t>(g) * experts;
        place(accepted, row, tokens[g], choices, k, ops::topKCapacity(rule, n, experts),
              rule.placement == TopKPlacement::TokenOrder);
        for (std::size_t e = 0; e < totals.size(); ++e)
            totals[e] += static_cast<std::int64_t>(row[e]);
    }
    Assignment a = ops::makeAssignment(scores.size(0), accepted);
    a.requested = std::move(totals);
    a.groupTokens = sizesOf(tokens);
    a.groupRequested = requested;
    a.askedExperts = asked;
    return a;
}

}  // namespace core::cpu
