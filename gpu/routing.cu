// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/rank.cuh"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"
#include "gpu/radix_sort.h"
#include "gpu/routing_tables.h"
#include "gpu/scan.h"
#include "gpu/take.h"

#include <limits>

namespace gpu {
namespace {

/// Items are (expert, token) pairs, expert by expert: item e * tokens + t.
struct Items {
    std::int64_t tokens;
    std::int64_t experts;

    __host__ __device__ std::int64_t count() const { return tokens * experts; }
};

/// Best first.
__global__ void rankItems(std::uint32_t* keys, std::uint32_t* values, const float* probabilities,
                          Items items) {
    const std::int64_t i = threadElement();
    if (i >= items.count()) return;
    const std::int64_t expert = i / items.tokens;
    keys[i] = ~orderedScore(probabilities[i % items.tokens * items.experts + expert]);
    values[i] = static_cast<std::uint32_t>(i);
}

/// By expert and group, padding at the end.
__global__ void divideItems(std::uint32_t* keys, const std::uint32_t* values, Items items,
                            Groups groups) {
    const std::int64_t i = threadElement();
    if (i >= items.count()) return;
    const std::int64_t token = values[i] % items.tokens;
    const std::int64_t expert = values[i] / items.tokens;
    keys[i] =
        static_cast<std::uint32_t>(groups.isReal(token) ? expert * groups.count + groups.of(token)
                                                        : items.experts * groups.count);
}

/// Every expert takes the first items of each group: those from firstSlot[g] to firstSlot[g + 1]
/// of its slots are group g's, whose items begin at firstItem[g] of its items.
struct Shares {
    const std::int64_t* firstSlot;
    const std::int64_t* firstItem;
    std::int64_t groups;
    std::int64_t slots;  ///< of an expert
    std::int64_t items;  ///< of an expert: the real tokens
};

__global__ void takeItems(std::int32_t* slotToken, std::int32_t* slotExpert, std::int32_t* slotOf,
                          const std::uint32_t* values, Shares shares, Items items) {
    const std::int64_t slot = threadElement();
    if (slot >= shares.slots * items.experts) return;
    const std::int64_t expert = slot / shares.slots;
    const std::int64_t inside = slot % shares.slots;
    const Groups slotGroups{shares.firstSlot, nullptr, shares.groups};
    const std::int64_t group = slotGroups.of(inside);
    const std::uint32_t item =
        values[expert * shares.items + shares.firstItem[group] + inside - shares.firstSlot[group]];
    slotToken[slot] = static_cast<std::int32_t>(item % items.tokens);
    slotExpert[slot] = static_cast<std::int32_t>(expert);
    slotOf[item] = static_cast<std::int32_t>(slot);
}

}  // namespace

core::Assignment CudaBackend::expertChoice(const Tensor& probabilities, const RoutingGroups& groups,
                                           double capacity) {
    const Items items{probabilities.size(0), probabilities.size(1)};
    CORE_CHECK(items.count() <= std::numeric_limits<std::int32_t>::max(),
               "too many pairs of a token and an expert: " + probabilities.describe());
    const auto groupCount = static_cast<std::int64_t>(groups.begins.size()) - 1;
    const Groups rows{stage(std::span<const std::int64_t>(groups.begins)),
                      dataOrNull<std::uint8_t>(groups.mask), groupCount};
    ScratchLayout layout;
    SortArrays sorted(layout, items.count());
    const std::size_t countsAt = layout.place<unsigned long long>(groupCount);
    const std::size_t wordsAt = layout.place<std::uint32_t>(scanWords(items.tokens + 1));
    void* memory = scratch(layout.bytes());
    sorted.attach(memory);

    Assignment a;
    a.tokens = items.tokens;
    a.experts = items.experts;
    if (groups.mask.defined()) {
        auto* counts = layoutPiece<unsigned long long>(memory, countsAt);
        countRealTokens(stream(), counts, rows, largestGroup(groups));
        for (const unsigned long long n :
             take(stream(), counts, static_cast<std::size_t>(groupCount)))
            a.groupTokens.push_back(static_cast<std::int64_t>(n));
    } else {
        for (std::size_t g = 0; g + 1 < groups.begins.size(); ++g)
            a.groupTokens.push_back(groups.begins[g + 1] - groups.begins[g]);
    }
    std::vector<std::int64_t> firstSlot{0};
    std::vector<std::int64_t> firstItem{0};
    for (const std::int64_t n : a.groupTokens) {
        firstSlot.push_back(firstSlot.back() + core::ops::expertCapacity(capacity, n, a.experts));
        firstItem.push_back(firstItem.back() + n);
    }
    const std::int64_t slots = firstSlot.back();
    a.requested.assign(static_cast<std::size_t>(a.experts), slots);
    for (std::int64_t e = 0; e <= a.experts; ++e) a.offsets.push_back(e * slots);
    makeTables(*this, a);

    launch(stream(), rankItems, blocksFor(items.count()), dim3(kBlock), 0, sorted.keys(),
           sorted.values(), data<float>(probabilities), items);
    sorted.sort(stream(), 32);
    launch(stream(), divideItems, blocksFor(items.count()), dim3(kBlock), 0, sorted.keys(),
           sorted.values(), items, rows);
    sorted.sort(stream(), bitsOf(a.experts * groupCount));
    auto* slotOf = reinterpret_cast<std::int32_t*>(sorted.spare());
    check(cudaMemsetAsync(slotOf, 0xFF, static_cast<std::size_t>(items.count()) * sizeof *slotOf,
                          stream()),
          "clearing the slots");
    const Shares shares{stage(std::span<const std::int64_t>(firstSlot)),
                        stage(std::span<const std::int64_t>(firstItem)), groupCount, slots,
                        firstItem.back()};
    launch(stream(), takeItems, blocksFor(a.slots()), dim3(kBlock), 0,
           data<std::int32_t>(a.slotToken), data<std::int32_t>(a.slotExpert), slotOf,
           sorted.values(), shares, items);
    fillTokenTables(stream(), a, slotOf, layoutPiece<std::uint32_t>(memory, wordsAt));
    return a;
}

}  // namespace gpu
