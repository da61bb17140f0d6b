// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// Four words of Philox-4x32-10 for (key, counter), stream 0: the bits of core::philox
/// (core/base/random.h).
struct PhiloxWords {
    std::uint32_t at[4];
};

__device__ __forceinline__ PhiloxWords philox(std::uint64_t key, std::uint64_t counter) {
    PhiloxWords c{{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32U),
                   0U, 0U}};
    auto keyA = static_cast<std::uint32_t>(key);
    auto keyB = static_cast<std::uint32_t>(key >> 32U);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53U} * c.at[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * c.at[2];
        c = PhiloxWords{{static_cast<std::uint32_t>(b >> 32U) ^ c.at[1] ^ keyA,
                         static_cast<std::uint32_t>(b),
                         static_cast<std::uint32_t>(a >> 32U) ^ c.at[3] ^ keyB,
                         static_cast<std::uint32_t>(a)}};
        keyA += 0x9E3779B9U;
        keyB += 0xBB67AE85U;
    }
    return c;
}

/// What dropout does to one tensor: element i stays, times `factor`, where the upper 24 bits of word
/// i are at least `threshold`; exactly the elements that the CPU keeps.
struct DropoutRule {
    std::uint64_t key;
    std::uint32_t threshold;
    float factor;
};

__device__ __forceinline__ bool isKept(const DropoutRule& rule, std::uint64_t index) {
    return philox(rule.key, index >> 2U).at[index & 3U] >> 8U >= rule.threshold;
}

}  // namespace gpu
