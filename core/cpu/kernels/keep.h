// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/cpu/kernels/simd.h"

namespace core::cpu::UPCYCLER_ISA {

typedef std::uint32_t UnsignedVec __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t UnalignedUnsignedVec
    __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef std::uint64_t WideVec __attribute__((vector_size(kLanes * 4)));
typedef std::uint64_t UnalignedWideVec
    __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

/// The low halves of a, times m.
UPCYCLER_INLINE WideVec lowProduct(WideVec a, std::uint32_t m) {
#if defined(__AVX512F__)
    return reinterpret_cast<WideVec>(
        _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a),
                               _mm512_maskz_set1_epi64(0xFF, static_cast<long long>(m))));
#elif defined(__AVX2__)
    return reinterpret_cast<WideVec>(_mm256_mul_epu32(
        reinterpret_cast<__m256i>(a), _mm256_set1_epi64x(static_cast<long long>(m))));
#else
    return (a & 0xFFFFFFFFU) * static_cast<std::uint64_t>(m);
#endif
}

/// The 2 * kLanes words that core::philox (base/random.h) gives for kLanes / 2 counters from
/// `counter` on, stream 0. One counter a 64-bit lane; what is above the low half of a lane is not
/// looked at.
UPCYCLER_INLINE void philoxWords(std::uint32_t* into, std::uint64_t key, std::uint64_t counter) {
#if defined(__AVX512F__)
    const WideVec lanes{0, 1, 2, 3, 4, 5, 6, 7};
#elif defined(__AVX2__)
    const WideVec lanes{0, 1, 2, 3};
#else
    const WideVec lanes{0, 1};
#endif
    WideVec c0 = lanes + counter;
    WideVec c1 = c0 >> 32U;
    WideVec c2{};
    WideVec c3{};
    auto keyA = static_cast<std::uint32_t>(key);
    auto keyB = static_cast<std::uint32_t>(key >> 32U);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const WideVec a = lowProduct(c0, 0xD2511F53U);
        const WideVec b = lowProduct(c2, 0xCD9E8D57U);
        c0 = (b >> 32U) ^ c1 ^ static_cast<std::uint64_t>(keyA);
        c1 = b;
        c2 = (a >> 32U) ^ c3 ^ static_cast<std::uint64_t>(keyB);
        c3 = a;
        keyA += 0x9E3779B9U;
        keyB += 0xBB67AE85U;
    }
    const WideVec first = (c0 & 0xFFFFFFFFU) | (c1 << 32U);
    const WideVec second = (c2 & 0xFFFFFFFFU) | (c3 << 32U);
    auto* words = reinterpret_cast<UnalignedWideVec*>(into);
    auto* rest = reinterpret_cast<UnalignedWideVec*>(into + kLanes);
#if defined(__AVX512F__)
    *words = __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
    *rest = __builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
#elif defined(__AVX2__)
    *words = __builtin_shufflevector(first, second, 0, 4, 1, 5);
    *rest = __builtin_shufflevector(first, second, 2, 6, 3, 7);
#else
    *words = __builtin_shufflevector(first, second, 0, 2);
    *rest = __builtin_shufflevector(first, second, 1, 3);
#endif
}

/// body(i, kept, load, store) as forVectors over [0, n): lane k of `kept` is all ones where element
/// first + i + k is kept.
template <typename Body>
UPCYCLER_INLINE void forKept(const Keep& keep, std::uint64_t first, Index n, Body body) {
    constexpr Index kWords = 256;
    std::uint32_t words[kWords + 2 * kLanes];
    for (Index done = 0; done < n;) {
        const std::uint64_t at = first + static_cast<std::uint64_t>(done);
        const auto skipped = static_cast<Index>(at & 3U);
        const Index count = n - done < kWords - skipped ? n - done : kWords - skipped;
        for (Index w = 0; w < skipped + count; w += 2 * kLanes)
            philoxWords(words + w, keep.key, (at >> 2U) + static_cast<std::uint64_t>(w / 4));
        forVectors(
            count, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                const UnsignedVec word =
                    *reinterpret_cast<const UnalignedUnsignedVec*>(words + skipped + i) >> 8U;
                body(done + i, word >= keep.threshold, get, put);
            });
        done += count;
    }
}

}  // namespace core::cpu::UPCYCLER_ISA
