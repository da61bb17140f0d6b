// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/expert_choice.cuh"
#include "gpu/packs.h"
#include "gpu/radix_sort.h"
#include "gpu/routing_tables.h"
#include "gpu/scan.h"

#include <bit>
#include <limits>

namespace gpu {
namespace {

/// Tokens of the largest group that a block sorts by itself, in 64 KiB.
constexpr std::int64_t kBlockTokens = 8192;

/// The counts that follow from the groups' real tokens; requested and offsets of the assignment.
struct Capacities {
    std::vector<std::int64_t> firstSlot{0};  ///< [groups + 1], of an expert's slots
    std::vector<std::int64_t> firstItem{0};  ///< [groups + 1], of an expert's real tokens
};

Capacities capacitiesOf(core::Assignment& a, double capacity) {
    Capacities c;
    for (const std::int64_t n : a.groupTokens) {
        c.firstSlot.push_back(c.firstSlot.back() +
                              core::ops::expertCapacity(capacity, n, a.experts));
        c.firstItem.push_back(c.firstItem.back() + n);
    }
    a.requested.assign(static_cast<std::size_t>(a.experts), c.firstSlot.back());
    for (std::int64_t e = 0; e <= a.experts; ++e) a.offsets.push_back(e * c.firstSlot.back());
    return c;
}

void chooseBySort(cudaStream_t stream, SortArrays& sorted, const SlotTables& tables,
                  const float* probabilities, const Shares& shares, const Groups& rows,
                  const Items& items) {
    launch(stream, rankItems, blocksFor(items.count()), dim3(kBlock), 0, sorted.keys(),
           sorted.values(), probabilities, items);
    sorted.sort(stream, 32);
    launch(stream, divideItems, blocksFor(items.count()), dim3(kBlock), 0, sorted.keys(),
           sorted.values(), items, rows);
    sorted.sort(stream, bitsOf(items.experts * rows.count));
    launch(stream, takeItems, blocksFor(shares.slots * items.experts), dim3(kBlock), 0, tables,
           sorted.values(), shares, items);
}

}  // namespace

core::Assignment CudaBackend::expertChoice(const Tensor& probabilities, const RoutingGroups& groups,
                                           double capacity) {
    const Items items{probabilities.size(0), probabilities.size(1)};
    CORE_CHECK(items.count() <= std::numeric_limits<std::int32_t>::max(),
               "too many pairs of a token and an expert: " + probabilities.describe());
    const std::int64_t largest = largestGroup(groups);
    const bool inBlocks = largest <= kBlockTokens;
    const auto groupCount = static_cast<std::int64_t>(groups.begins.size()) - 1;
    const Groups rows{stage(std::span<const std::int64_t>(groups.begins)),
                      dataOrNull<std::uint8_t>(groups.mask), groupCount};
    ScratchLayout layout;
    SortArrays sorted(layout, inBlocks ? 0 : items.count());
    const std::size_t countsAt = layout.place<unsigned long long>(groupCount);
    const std::size_t slotOfAt = layout.place<std::int32_t>(items.count());
    const std::size_t wordsAt = layout.place<std::uint32_t>(scanWords(items.tokens + 1));
    void* memory = scratch(layout.bytes());
    sorted.attach(memory);
    auto* slotOf = layoutPiece<std::int32_t>(memory, slotOfAt);

    Assignment a;
    a.tokens = items.tokens;
    a.experts = items.experts;
    a.groupTokens = realTokens(stream(), layoutPiece<unsigned long long>(memory, countsAt), groups, rows);
    const Capacities capacities = capacitiesOf(a, capacity);
    makeTables(*this, a);
    const Shares shares{stage(std::span<const std::int64_t>(capacities.firstSlot)),
                        stage(std::span<const std::int64_t>(capacities.firstItem)), groupCount,
                        capacities.firstSlot.back(), capacities.firstItem.back()};
    const SlotTables tables{data<std::int32_t>(a.slotToken), data<std::int32_t>(a.slotExpert),
                            slotOf};
    check(cudaMemsetAsync(slotOf, 0xFF, static_cast<std::size_t>(items.count()) * sizeof *slotOf,
                          stream()),
          "clearing the slots");
    if (inBlocks)
        launch(stream(), chooseInBlocks, dim3(static_cast<unsigned>(items.experts * groupCount)),
               dim3(largest <= 2048 ? 256 : 1024),
               std::bit_ceil(static_cast<std::size_t>(largest)) * sizeof(unsigned long long),
               tables, data<float>(probabilities), shares, rows, items);
    else
        chooseBySort(stream(), sorted, tables, data<float>(probabilities), shares, rows, items);
    fillTokenTables(stream(), a, slotOf, layoutPiece<std::uint32_t>(memory, wordsAt));
    return a;
}

}  // namespace gpu
