// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/groups.cuh"
#include "gpu/device/rank.cuh"
#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"

namespace gpu {

/// Items are (expert, token) pairs, expert by expert: item e * tokens + t.
struct Items {
    std::int64_t tokens;
    std::int64_t experts;

    __host__ __device__ std::int64_t count() const { return tokens * experts; }
};

/// Every expert takes the first items of each group: those from firstSlot[g] to firstSlot[g + 1]
/// of its slots are group g's, whose items begin at firstItem[g] of its items.
struct Shares {
    const std::int64_t* firstSlot;
    const std::int64_t* firstItem;
    std::int64_t groups;
    std::int64_t slots;  ///< of an expert
    std::int64_t items;  ///< of an expert: the real tokens
};

/// Where the router's decision goes; slotOf [experts, tokens].
struct SlotTables {
    std::int32_t* token;
    std::int32_t* expert;
    std::int32_t* slotOf;

    __device__ __forceinline__ void put(std::int64_t slot, std::int64_t ofExpert,
                                        std::int64_t ofToken, std::int64_t tokens) const {
        token[slot] = static_cast<std::int32_t>(ofToken);
        expert[slot] = static_cast<std::int32_t>(ofExpert);
        slotOf[ofExpert * tokens + ofToken] = static_cast<std::int32_t>(slot);
    }
};

/// Decreasing; `count` is a power of 2 (bitonic sort, Batcher 1968). Ends behind a barrier.
__device__ inline void sortInBlock(unsigned long long* keys, unsigned count) {
    for (unsigned run = 2; run <= count; run *= 2)
        for (unsigned apart = run / 2; apart > 0; apart /= 2) {
            __syncthreads();
            for (unsigned pair = threadIdx.x; pair < count / 2; pair += blockDim.x) {
                const unsigned low = 2 * pair - (pair & (apart - 1));
                const unsigned high = low + apart;
                const unsigned long long a = keys[low];
                const unsigned long long b = keys[high];
                if ((a < b) == ((low & run) == 0)) {
                    keys[low] = b;
                    keys[high] = a;
                }
            }
        }
    __syncthreads();
}

/// A block an expert and group, whose tokens are sorted in shared memory: 8 bytes for each of the
/// next power of 2. Score and row are one number, so that ties go to the lower row; padding has the
/// least of all.
static __global__ void chooseInBlocks(SlotTables tables, const float* probabilities, Shares shares,
                                      Groups groups, Items items) {
    auto* keys = blockShared<unsigned long long>();
    const std::int64_t expert = blockIdx.x / groups.count;
    const std::int64_t group = blockIdx.x % groups.count;
    const std::int64_t begin = groups.begins[group];
    const auto size = static_cast<unsigned>(groups.begins[group + 1] - begin);
    unsigned count = 1;
    while (count < size) count *= 2;
    for (unsigned i = threadIdx.x; i < count; i += blockDim.x) {
        unsigned long long key = 0;
        if (i < size && groups.isReal(begin + i)) {
            key = orderedScore(probabilities[(begin + i) * items.experts + expert]);
            key = (key << 32U) | (0xFFFFFFFFU - i);
        }
        keys[i] = key;
    }
    sortInBlock(keys, count);
    const std::int64_t first = shares.firstSlot[group];
    const std::int64_t slots = shares.firstSlot[group + 1] - first;
    for (std::int64_t i = threadIdx.x; i < slots; i += blockDim.x)
        tables.put(expert * shares.slots + first + i, expert,
                   begin + (0xFFFFFFFFU - static_cast<std::uint32_t>(keys[i])), items.tokens);
}

// The way for larger groups: all items are sorted by score, then by expert and group.

/// Best first.
static __global__ void rankItems(std::uint32_t* keys, std::uint32_t* values,
                                 const float* probabilities, Items items) {
    const std::int64_t i = threadElement();
    if (i >= items.count()) return;
    const std::int64_t expert = i / items.tokens;
    keys[i] = ~orderedScore(probabilities[i % items.tokens * items.experts + expert]);
    values[i] = static_cast<std::uint32_t>(i);
}

/// By expert and group, padding at the end.
static __global__ void divideItems(std::uint32_t* keys, const std::uint32_t* values, Items items,
                                   Groups groups) {
    const std::int64_t i = threadElement();
    if (i >= items.count()) return;
    const std::int64_t token = values[i] % items.tokens;
    const std::int64_t expert = values[i] / items.tokens;
    keys[i] =
        static_cast<std::uint32_t>(groups.isReal(token) ? expert * groups.count + groups.of(token)
                                                        : items.experts * groups.count);
}

static __global__ void takeItems(SlotTables tables, const std::uint32_t* values, Shares shares,
                                 Items items) {
    const std::int64_t slot = threadElement();
    if (slot >= shares.slots * items.experts) return;
    const std::int64_t expert = slot / shares.slots;
    const std::int64_t inside = slot % shares.slots;
    const Groups slotGroups{shares.firstSlot, nullptr, shares.groups};
    const std::int64_t group = slotGroups.of(inside);
    const std::int64_t item =
        values[expert * shares.items + shares.firstItem[group] + inside - shares.firstSlot[group]];
    tables.put(slot, expert, item % items.tokens, items.tokens);
}

}  // namespace gpu
