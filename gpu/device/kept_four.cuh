// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/random.cuh"

namespace gpu {

/// Whether dropout keeps elements first, first + 1, ... first + 3: one counter's words where first
/// is a multiple of 4, else two counters'.
struct KeptFour {
    bool at[4];
};

__device__ __forceinline__ KeptFour keptFour(const DropoutRule& rule, std::uint64_t first) {
    const PhiloxWords words = philox(rule.key, first >> 2U);
    const auto shift = static_cast<int>(first & 3U);
    KeptFour kept;
    if (shift == 0) {
        for (int i = 0; i < 4; ++i) kept.at[i] = words.at[i] >> 8U >= rule.threshold;
        return kept;
    }
    const PhiloxWords next = philox(rule.key, (first >> 2U) + 1U);
    for (int i = 0; i < 4; ++i) {
        std::uint32_t word = 0;
        for (int k = 0; k < 4; ++k) {
            if (i + shift == k) word = words.at[k];
            if (i + shift == k + 4) word = next.at[k];
        }
        kept.at[i] = word >> 8U >= rule.threshold;
    }
    return kept;
}

}  // namespace gpu
