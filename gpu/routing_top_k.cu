// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/rank.cuh"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"
#include "gpu/radix_sort.h"
#include "gpu/routing_tables.h"
#include "gpu/scan.h"

#include <algorithm>
#include <limits>

namespace gpu {
namespace {

struct Choices {
    const std::int32_t* asked;  ///< [tokens, k], best first; -1 in padding rows
    std::int64_t tokens;
    std::int64_t experts;
    std::int64_t k;

    __host__ __device__ std::int64_t count() const { return tokens * k; }
};

/// asked [tokens, k], a warp a token: score and expert are one number, so that each choice is the
/// largest below the one before.
__global__ void askExperts(std::int32_t* asked, const float* scores, Groups groups,
                           std::int64_t tokens, std::int64_t experts, std::int64_t k) {
    const std::int64_t t = warpRow();
    if (t >= tokens) return;
    const bool real = groups.isReal(t);
    unsigned long long before = ~0ULL;
    for (std::int64_t j = 0; j < k; ++j) {
        unsigned long long best = 0;
        forLanePacks<1>(real ? experts : 0, [&](std::int64_t e) {
            const unsigned long long rank =
                (static_cast<unsigned long long>(orderedScore(scores[t * experts + e])) << 32U) |
                (0xFFFFFFFFU - static_cast<std::uint32_t>(e));
            if (rank < before && rank > best) best = rank;
        });
        before = warpMax(best);
        if (laneRank() == 0)
            asked[t * k + j] =
                real ? static_cast<std::int32_t>(0xFFFFFFFFU - static_cast<std::uint32_t>(before))
                     : -1;
    }
}

/// Tokens by decreasing score of their first choice.
__global__ void rankTokens(std::uint32_t* keys, std::uint32_t* values, const float* scores,
                           Choices choices) {
    const std::int64_t t = threadElement();
    if (t >= choices.tokens) return;
    const std::int32_t first = choices.asked[t * choices.k];
    keys[t] = first < 0 ? ~0U : ~orderedScore(scores[t * choices.experts + first]);
    values[t] = static_cast<std::uint32_t>(t);
}

__global__ void divideTokens(std::uint32_t* keys, const std::uint32_t* values, Groups groups,
                             std::int64_t tokens) {
    const std::int64_t i = threadElement();
    if (i < tokens) keys[i] = static_cast<std::uint32_t>(groups.of(values[i]));
}

/// The choices in the order in which they are placed, group by group: all choices of a token
/// together, or first choices of all the group's tokens, then second ones ...; tokens come as in
/// `order` (null: by row). The key is the expert, that of padding is behind all.
__global__ void lineUp(std::uint32_t* keys, std::uint32_t* values, Choices choices, Groups groups,
                       const std::uint32_t* order, bool tokenByToken) {
    const std::int64_t turn = threadElement();
    if (turn >= choices.count()) return;
    std::int64_t token = turn / choices.k;
    std::int64_t choice = turn % choices.k;
    if (!tokenByToken) {
        const std::int64_t group = groups.of(token);
        const std::int64_t begin = groups.begins[group];
        const std::int64_t size = groups.begins[group + 1] - begin;
        choice = (turn - choices.k * begin) / size;
        token = begin + (turn - choices.k * begin) % size;
        if (order != nullptr) token = order[token];
    }
    const std::int32_t expert = choices.asked[token * choices.k + choice];
    keys[turn] = static_cast<std::uint32_t>(expert < 0 ? choices.experts : expert);
    values[turn] = static_cast<std::uint32_t>(token);
}

/// firsts [experts * groups + 1] = where the choices of each expert and group begin in the line
/// that is sorted by expert.
__global__ void findFirsts(std::uint32_t* firsts, const std::uint32_t* keys,
                           const std::uint32_t* values, Choices choices, Groups groups) {
    const std::int64_t wanted = threadElement();
    if (wanted > choices.experts * groups.count) return;
    std::int64_t low = 0;
    std::int64_t high = choices.count();
    while (low < high) {
        const std::int64_t middle = (low + high) / 2;
        const std::int64_t expert = keys[middle];
        const bool below =
            expert * groups.count + (expert < choices.experts ? groups.of(values[middle]) : 0) <
            wanted;
        if (below)
            low = middle + 1;
        else
            high = middle;
    }
    firsts[wanted] = static_cast<std::uint32_t>(low);
}

/// requested [groups, experts]
__global__ void countRequested(float* requested, const std::uint32_t* firsts, std::int64_t groups,
                               std::int64_t experts) {
    const std::int64_t i = threadElement();
    if (i >= groups * experts) return;
    const std::int64_t at = i % experts * groups + i / experts;
    requested[i] = static_cast<float>(firsts[at + 1] - firsts[at]);
}

/// A choice gets a slot when fewer than its group's capacity of the same expert come before it.
/// firstSlot [experts * groups], capacity [groups].
__global__ void placeChoices(std::int32_t* slotToken, std::int32_t* slotExpert,
                             std::int32_t* slotOf, const std::uint32_t* keys,
                             const std::uint32_t* values, const std::uint32_t* firsts,
                             const std::uint32_t* firstSlot, const std::int64_t* capacity,
                             Choices choices, Groups groups) {
    const std::int64_t i = threadElement();
    if (i >= choices.count() || keys[i] >= choices.experts) return;
    const std::int64_t expert = keys[i];
    const std::int64_t token = values[i];
    const std::int64_t group = groups.of(token);
    const std::int64_t at = expert * groups.count + group;
    const std::int64_t place = i - firsts[at];
    if (place >= capacity[group]) return;
    const std::int64_t slot = firstSlot[at] + place;
    slotToken[slot] = static_cast<std::int32_t>(token);
    slotExpert[slot] = static_cast<std::int32_t>(expert);
    slotOf[expert * choices.tokens + token] = static_cast<std::int32_t>(slot);
}

/// accepted [cells + 1]: what each expert and group gets of what is asked for; the last is 0.
__global__ void countAccepted(std::uint32_t* accepted, const std::uint32_t* firsts,
                              const std::int64_t* capacity, std::int64_t cells,
                              std::int64_t groups) {
    const std::int64_t at = threadElement();
    if (at > cells) return;
    accepted[at] = 0;
    if (at == cells) return;
    const std::uint32_t asked = firsts[at + 1] - firsts[at];
    const auto most = static_cast<std::uint32_t>(capacity[at % groups]);
    accepted[at] = asked < most ? asked : most;
}

/// offsets [experts + 1] of the experts' slots.
__global__ void offsetsOf(std::int64_t* offsets, const std::uint32_t* firstSlot,
                          std::int64_t experts, std::int64_t groups) {
    const std::int64_t e = threadElement();
    if (e <= experts) offsets[e] = firstSlot[e * groups];
}

}  // namespace

core::Assignment CudaBackend::topK(const Tensor& scores, const RoutingGroups& groups,
                                   const TopKRule& rule) {
    Assignment a;
    a.tokens = scores.size(0);
    a.experts = scores.size(1);
    a.askedExperts = makeInts(*this, {a.tokens, rule.k});
    const Choices choices{data<std::int32_t>(a.askedExperts), a.tokens, a.experts, rule.k};
    CORE_CHECK(a.tokens * a.experts <= std::numeric_limits<std::int32_t>::max(),
               "too many pairs of a token and an expert: " + scores.describe());
    const auto groupCount = static_cast<std::int64_t>(groups.begins.size()) - 1;
    const Groups rows{stage(std::span<const std::int64_t>(groups.begins)),
                      dataOrNull<std::uint8_t>(groups.mask), groupCount};
    const bool byPriority = rule.placement == core::TopKPlacement::BatchPriority;

    ScratchLayout layout;
    SortArrays order(layout, byPriority ? a.tokens : 0);
    SortArrays line(layout, choices.count());
    const std::int64_t cells = a.experts * groupCount;
    const std::size_t firstsAt = layout.place<std::uint32_t>(cells + 1);
    const std::size_t realAt = layout.place<unsigned long long>(groupCount);
    const std::size_t slotOfAt = layout.place<std::int32_t>(a.tokens * a.experts);
    const std::size_t firstSlotAt = layout.place<std::uint32_t>(cells + 1);
    const std::size_t wordsAt =
        layout.place<std::uint32_t>(std::max(scanWords(a.tokens + 1), scanWords(cells + 1)));
    void* memory = scratch(layout.bytes());
    order.attach(memory);
    line.attach(memory);
    auto* firsts = layoutPiece<std::uint32_t>(memory, firstsAt);
    auto* real = layoutPiece<unsigned long long>(memory, realAt);
    auto* slotOf = layoutPiece<std::int32_t>(memory, slotOfAt);
    auto* firstSlot = layoutPiece<std::uint32_t>(memory, firstSlotAt);
    auto* words = layoutPiece<std::uint32_t>(memory, wordsAt);

    a.groupTokens = realTokens(stream(), real, groups, rows);
    std::vector<std::int64_t> capacity;
    for (const std::int64_t n : a.groupTokens) {
        capacity.push_back(core::ops::topKCapacity(rule, n, a.experts));
        a.room += std::min(n * rule.k, a.experts * capacity.back());
    }
    launch(stream(), askExperts, warpsFor(a.tokens), dim3(kBlock), 0,
           data<std::int32_t>(a.askedExperts), data<float>(scores), rows, a.tokens, a.experts,
           choices.k);
    if (byPriority) {
        launch(stream(), rankTokens, blocksFor(a.tokens), dim3(kBlock), 0, order.keys(),
               order.values(), data<float>(scores), choices);
        order.sort(stream(), 32);
        launch(stream(), divideTokens, blocksFor(a.tokens), dim3(kBlock), 0, order.keys(),
               order.values(), rows, a.tokens);
        order.sort(stream(), bitsOf(groupCount - 1));
    }
    launch(stream(), lineUp, blocksFor(choices.count()), dim3(kBlock), 0, line.keys(),
           line.values(), choices, rows, byPriority ? order.values() : nullptr,
           rule.placement == core::TopKPlacement::TokenOrder);
    line.sort(stream(), bitsOf(a.experts));
    launch(stream(), findFirsts, blocksFor(cells + 1), dim3(kBlock), 0, firsts, line.keys(),
           line.values(), choices, rows);
    a.groupRequested = Tensor(allocate(static_cast<std::size_t>(cells) * sizeof(float)), 0,
                              {groupCount, a.experts}, core::DType::F32);
    launch(stream(), countRequested, blocksFor(cells), dim3(kBlock), 0,
           data<float>(a.groupRequested), firsts, groupCount, a.experts);

    const std::int64_t* const capacities = stage(std::span<const std::int64_t>(capacity));
    launch(stream(), countAccepted, blocksFor(cells + 1), dim3(kBlock), 0, firstSlot, firsts,
           capacities, cells, groupCount);
    exclusiveScan(stream(), firstSlot, cells + 1, words);
    a.offsetsThere = Tensor(allocate(static_cast<std::size_t>(a.experts + 1) * sizeof(std::int64_t)),
                            0, {a.experts + 1}, core::DType::I64);
    launch(stream(), offsetsOf, blocksFor(a.experts + 1), dim3(kBlock), 0,
           data<std::int64_t>(a.offsetsThere), firstSlot, a.experts, groupCount);
    makeTables(*this, a);
    for (const Tensor& table : {a.slotToken, a.slotExpert})
        if (table.elements() > 0)
            check(cudaMemsetAsync(table.raw(), 0xFF, table.bytes(), stream()),
                  "clearing the slots");
    check(
        cudaMemsetAsync(slotOf, 0xFF,
                        static_cast<std::size_t>(a.tokens * a.experts) * sizeof *slotOf, stream()),
        "clearing the slots");
    launch(stream(), placeChoices, blocksFor(choices.count()), dim3(kBlock), 0,
           data<std::int32_t>(a.slotToken), data<std::int32_t>(a.slotExpert), slotOf, line.keys(),
           line.values(), firsts, firstSlot,
           capacities, choices, rows);
    fillTokenTables(stream(), a, slotOf, words);
    return a;
}

}  // namespace gpu
