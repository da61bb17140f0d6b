// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/bfloat16.h"

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Vectors of floats (bf16 ones are widened and narrowed on the way) of whatever width this
// translation unit is compiled for. The files of this folder are compiled once an instruction set,
// each time into another namespace (UPCYCLER_ISA); they include no header of the standard library
// with inline functions, so that no function compiled for AVX-512 can be linked into code that runs
// everywhere.
namespace core::cpu::UPCYCLER_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

using Index = std::int64_t;
typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t IntVec __attribute__((vector_size(kLanes * 4)));
typedef float UnalignedVec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef float HalfVec __attribute__((vector_size(kLanes * 2)));
typedef float UnalignedHalfVec __attribute__((vector_size(kLanes * 2), aligned(4), may_alias));
typedef double DoubleVec __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t BitsVec __attribute__((vector_size(kLanes * 4)));
typedef std::uint16_t ShortVec __attribute__((vector_size(kLanes * 2)));
typedef std::uint16_t UnalignedShortVec
    __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

#define UPCYCLER_INLINE static inline __attribute__((always_inline))

/// x in every lane (minus zero leaves every x as it is, so that nothing is computed).
UPCYCLER_INLINE Vec splat(float x) { return x - Vec{}; }

UPCYCLER_INLINE Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }

UPCYCLER_INLINE void store(float* p, Vec x) { *reinterpret_cast<UnalignedVec*>(p) = x; }

/// The first `count` (1 ... kLanes - 1) elements, zeros behind them.
UPCYCLER_INLINE Vec loadPart(const float* p, int count) {
#if defined(__AVX512F__)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1U), p);
#elif defined(__AVX2__)
    const IntVec lanes{0, 1, 2, 3, 4, 5, 6, 7};
    return _mm256_maskload_ps(p, __builtin_bit_cast(__m256i, lanes < count));
#else
    Vec x{};
    for (int i = 0; i < count; ++i) x[i] = p[i];
    return x;
#endif
}

UPCYCLER_INLINE void storePart(float* p, Vec x, int count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << count) - 1U), x);
#elif defined(__AVX2__)
    const IntVec lanes{0, 1, 2, 3, 4, 5, 6, 7};
    _mm256_maskstore_ps(p, __builtin_bit_cast(__m256i, lanes < count), x);
#else
    for (int i = 0; i < count; ++i) p[i] = x[i];
#endif
}

UPCYCLER_INLINE float value(float x) { return x; }

UPCYCLER_INLINE float value(BFloat16 x) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(x.bits) << 16U);
}

UPCYCLER_INLINE Vec widened(ShortVec x) {
#if defined(__AVX512F__)
    const __m512i wide = _mm512_maskz_cvtepu16_epi32(0xFFFF, __builtin_bit_cast(__m256i, x));
#elif defined(__AVX2__)
    const __m256i wide = _mm256_cvtepu16_epi32(__builtin_bit_cast(__m128i, x));
#else
    const BitsVec wide = __builtin_convertvector(x, BitsVec);
#endif
    return __builtin_bit_cast(Vec, __builtin_bit_cast(BitsVec, wide) << 16U);
}

/// The upper halves, rounded to nearest, ties to even; NaN becomes quiet and stays NaN. The
/// processor's own conversion is not used: it makes zeros of denormal numbers.
UPCYCLER_INLINE ShortVec narrowed(Vec x) {
    const BitsVec bits = __builtin_bit_cast(BitsVec, x);
#if defined(__AVX512BW__)
    const __m512i raw = __builtin_bit_cast(__m512i, bits);
    const __mmask16 odd = _mm512_test_epi32_mask(raw, _mm512_set1_epi32(0x10000));
    const __mmask16 unordered = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    __m512i rounded = __builtin_bit_cast(__m512i, bits + 0x7FFFU);
    rounded = _mm512_mask_add_epi32(rounded, odd, rounded, _mm512_set1_epi32(1));
    rounded = _mm512_mask_or_epi32(rounded, unordered, raw, _mm512_set1_epi32(0x400000));
    typedef std::uint16_t WideShortVec __attribute__((vector_size(kLanes * 4)));
    const auto halves = __builtin_bit_cast(WideShortVec, rounded);
    return __builtin_shufflevector(halves, halves, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25,
                                   27, 29, 31);
#else
    const BitsVec rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    const BitsVec quiet = (bits >> 16U) | 0x40U;
    return __builtin_convertvector(x == x ? rounded : quiet, ShortVec);
#endif
}

UPCYCLER_INLINE Vec load(const BFloat16* p) {
    return widened(*reinterpret_cast<const UnalignedShortVec*>(p));
}

UPCYCLER_INLINE void store(BFloat16* p, Vec x) {
    *reinterpret_cast<UnalignedShortVec*>(p) = narrowed(x);
}

UPCYCLER_INLINE Vec loadPart(const BFloat16* p, int count) {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
    const __m256i x = _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1U << count) - 1U), p);
    return widened(__builtin_bit_cast(ShortVec, x));
#else
    ShortVec x{};
    for (int i = 0; i < count; ++i) x[i] = p[i].bits;
    return widened(x);
#endif
}

UPCYCLER_INLINE void storePart(BFloat16* p, Vec x, int count) {
    const ShortVec halves = narrowed(x);
#if defined(__AVX512BW__) && defined(__AVX512VL__)
    _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1U << count) - 1U),
                             __builtin_bit_cast(__m256i, halves));
#else
    for (int i = 0; i < count; ++i) p[i].bits = halves[i];
#endif
}

UPCYCLER_INLINE void storeOne(float* p, float x) { *p = x; }

UPCYCLER_INLINE void storeOne(BFloat16* p, float x) { storePart(p, splat(x), 1); }

/// body(offset, load, store) for whole vectors of [0, n), then once for the rest.
template <typename Body>
UPCYCLER_INLINE void forVectors(Index n, Body body) {
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes)
        body(
            i, [](const auto* p) __attribute__((always_inline)) { return load(p); },
            [](auto* p, Vec x) __attribute__((always_inline)) { store(p, x); });
    const int rest = static_cast<int>(n - i);
    if (rest > 0)
        body(
            i, [rest](const auto* p) __attribute__((always_inline)) { return loadPart(p, rest); },
            [rest](auto* p, Vec x) __attribute__((always_inline)) { storePart(p, x, rest); });
}

UPCYCLER_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }

UPCYCLER_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }

UPCYCLER_INLINE Vec abs(Vec x) {
    return __builtin_bit_cast(Vec, __builtin_bit_cast(IntVec, x) & 0x7FFFFFFF);
}

/// x where it is at least `low`, else `low`; NaN stays NaN.
UPCYCLER_INLINE Vec atLeast(Vec x, float low) {
#if defined(__AVX512F__)
    return _mm512_maskz_max_ps(0xFFFF, splat(low), x);
#elif defined(__AVX2__)
    return _mm256_max_ps(splat(low), x);
#else
    return x < low ? splat(low) : x;
#endif
}

UPCYCLER_INLINE Vec atMost(Vec x, float high) {
#if defined(__AVX512F__)
    return _mm512_maskz_min_ps(0xFFFF, splat(high), x);
#elif defined(__AVX2__)
    return _mm256_min_ps(splat(high), x);
#else
    return x > high ? splat(high) : x;
#endif
}

/// x within [-limit, limit]; NaN stays NaN.
UPCYCLER_INLINE Vec clampAbs(Vec x, float limit) { return atLeast(atMost(x, limit), -limit); }

UPCYCLER_INLINE Vec sqrt(Vec x) {
#if defined(__AVX512F__)
    return _mm512_maskz_sqrt_ps(0xFFFF, x);
#elif defined(__AVX2__)
    return _mm256_sqrt_ps(x);
#else
    for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

/// All lanes combined by op, halves first: the same order on every machine of this width.
template <typename Op>
UPCYCLER_INLINE float fold(Vec x, Op op) {
#if defined(__AVX512F__)
    x = op(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    x = op(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    x = op(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    x = op(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif defined(__AVX2__)
    x = op(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3));
    x = op(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5));
    x = op(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6));
#else
    x = op(x, __builtin_shufflevector(x, x, 2, 3, 0, 1));
    x = op(x, __builtin_shufflevector(x, x, 1, 0, 3, 2));
#endif
    return x[0];
}

UPCYCLER_INLINE float sum(Vec x) {
    return fold(
        x, [](Vec a, Vec b) __attribute__((always_inline)) { return a + b; });
}

/// Largest lane; a NaN may be passed over.
UPCYCLER_INLINE float largest(Vec x) {
    return fold(
        x, [](Vec a, Vec b) __attribute__((always_inline)) { return max(a, b); });
}

UPCYCLER_INLINE double sum(DoubleVec x) {
    double total = 0.0;
    for (int i = 0; i < kLanes / 2; ++i) total += x[i];
    return total;
}

/// e^x to about 1 ulp: minimax polynomial of degree 6 after reduction by powers of two. 0 below
/// -87.7, infinite above 88.4, NaN for NaN.
UPCYCLER_INLINE Vec exp(Vec x) {
    constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    const Vec clamped = atLeast(atMost(x, 89.0F), -88.0F);
    const Vec shifted = clamped * 1.44269504F + kRounder;
    const Vec power = shifted - kRounder;
    const Vec rest = (clamped - power * 0.693359375F) + power * 2.12194440e-4F;
    Vec p = rest * 1.38436444e-3F + 8.37416388e-3F;
    p = p * rest + 4.16680016e-2F;
    p = p * rest + 0.166664317F;
    p = p * rest + 0.49999994F;
    p = p * rest + 1.0F;
    p = p * rest + 1.0F;
    const IntVec exponent = (__builtin_bit_cast(IntVec, shifted) - (0x4B400000 - 127)) << 23;
    return p * __builtin_bit_cast(Vec, exponent);
}

/// Natural logarithm of a positive normal number, to about 1 ulp of max(1, |log x|); NaN for NaN.
UPCYCLER_INLINE Vec log(Vec x) {
    constexpr std::int32_t kRootHalf = 0x3F3504F3;
    const IntVec shifted = __builtin_bit_cast(IntVec, x) - kRootHalf;
    const IntVec power = shifted >> 23;
    const Vec f = __builtin_bit_cast(Vec, (shifted & 0x007FFFFF) + kRootHalf) - 1.0F;
    const Vec e = __builtin_convertvector(power, Vec);
    Vec p = f * -0.0763125345F + 0.128550068F;
    p = p * f - 0.13207911F;
    p = p * f + 0.141899958F;
    p = p * f - 0.166165188F;
    p = p * f + 0.200016156F;
    p = p * f - 0.25001061F;
    p = p * f + 0.333333284F;
    const Vec square = f * f;
    const Vec small = p * f * square + e * -2.12194440e-4F;
    const Vec result = small - square * 0.5F + f + e * 0.693359375F;
    return x == x ? result : x;
}

/// The error function to about 3e-7 (rational approximation z P(z^2) / Q(z^2) on [0, 4], fitted for
/// this file).
UPCYCLER_INLINE Vec erf(Vec x) {
    const Vec z = clampAbs(x, 4.0F);
    const Vec u = z * z;
    Vec p = u * 1.98673251e-6F + 2.84565001e-4F;
    p = p * u + 3.88342538e-3F;
    p = p * u + 5.31019978e-2F;
    p = p * u + 0.193547353F;
    p = p * u + 1.12837911F;
    Vec q = u * 3.74196024e-5F + 1.18558551e-3F;
    q = q * u + 1.52074201e-2F;
    q = q * u + 0.115350902F;
    q = q * u + 0.504859447F;
    q = q * u + 1.0F;
    return clampAbs(z * p / q, 1.0F);
}

/// log(1 + t) for t in [0, 1], absolute error about 1e-7 (series of 2 atanh(t / (2 + t))).
UPCYCLER_INLINE Vec log1pUnit(Vec t) {
    const Vec s = t / (t + 2.0F);
    const Vec u = s * s;
    Vec p = u * (2.0F / 13.0F) + 2.0F / 11.0F;
    p = p * u + 2.0F / 9.0F;
    p = p * u + 2.0F / 7.0F;
    p = p * u + 2.0F / 5.0F;
    p = p * u + 2.0F / 3.0F;
    p = p * u + 2.0F;
    return p * s;
}

/// 1 / (1 + e^-x).
UPCYCLER_INLINE Vec sigmoid(Vec x) { return 1.0F / (exp(-x) + 1.0F); }

}  // namespace core::cpu::UPCYCLER_ISA
