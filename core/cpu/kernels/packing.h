// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/packed_product.h"

// How factors become words (product_kernels.h). A `Source` reads `kPerWord` rows at a time: vectors
// of words that lie side by side in a row, or four words of one column.
namespace core::cpu::UPCYCLER_ISA {

typedef float Four __attribute__((vector_size(16)));
typedef float UnalignedFour __attribute__((vector_size(16), aligned(4), may_alias));

/// Floats and widened bf16: a word an element.
template <typename T>
struct Widened {
    static constexpr Index kPerWord = 1;

    /// Words (p, c ... c + kLanes) of from [depth, columns], `count` of them real.
    UPCYCLER_INLINE Vec across(const T* from, Index stride, Index /*depth*/, Index p, Index c,
                               Index count) {
        const T* x = from + p * stride + c;
        return count >= kLanes ? load(x) : loadPart(x, static_cast<int>(count));
    }

    /// Words p ... p + 3 of a row.
    UPCYCLER_INLINE Four along(const T* row, Index p) {
        if constexpr (sizeof(T) == sizeof(float)) {
            return *reinterpret_cast<const UnalignedFour*>(row + p);
        } else {
            typedef std::uint16_t FourShorts __attribute__((vector_size(8), aligned(2), may_alias));
            typedef std::uint32_t FourBits __attribute__((vector_size(16)));
            const FourShorts x = *reinterpret_cast<const FourShorts*>(row + p);
            return __builtin_bit_cast(Four, __builtin_convertvector(x, FourBits) << 16U);
        }
    }

    UPCYCLER_INLINE float one(const T* row, Index /*depth*/, Index p) { return value(row[p]); }
};

#if defined(__AVX512BF16__)
/// Two bf16 a word; a missing second one is 0.
struct Paired {
    static constexpr Index kPerWord = 2;

    UPCYCLER_INLINE BitsVec lowHalves(const BFloat16* p, __mmask16 lanes) {
        return __builtin_bit_cast(
            BitsVec, _mm512_maskz_cvtepu16_epi32(lanes, _mm256_maskz_loadu_epi16(lanes, p)));
    }

    UPCYCLER_INLINE Vec across(const BFloat16* from, Index stride, Index depth, Index p, Index c,
                               Index count) {
        const BFloat16* x = from + 2 * p * stride + c;
        const auto lanes = static_cast<__mmask16>(count >= kLanes ? 0xFFFFU : (1U << count) - 1U);
        BitsVec words = lowHalves(x, lanes);
        if (2 * p + 1 < depth) words |= lowHalves(x + stride, lanes) << 16U;
        return __builtin_bit_cast(Vec, words);
    }

    UPCYCLER_INLINE Four along(const BFloat16* row, Index p) {
        typedef float Aligned2Four __attribute__((vector_size(16), aligned(2), may_alias));
        return *reinterpret_cast<const Aligned2Four*>(row + 2 * p);
    }

    UPCYCLER_INLINE float one(const BFloat16* row, Index depth, Index p) {
        const std::uint32_t high = 2 * p + 1 < depth ? row[2 * p + 1].bits : 0U;
        return __builtin_bit_cast(float, row[2 * p].bits | high << 16U);
    }
};
#endif

/// Whether rows of T are rows of words as they are.
template <typename Source, typename T>
constexpr bool inPlace(Index depth) {
    return sizeof(T) * Source::kPerWord == 4 && depth % Source::kPerWord == 0;
}

template <typename Source>
Index wordsOf(Index depth) {
    return (depth + Source::kPerWord - 1) / Source::kPerWord;
}

UPCYCLER_INLINE Index panelColumns(Index columns) {
    constexpr Index kPanel = kPanelVectors * kLanes;
    return columns < kPanel ? (columns + kLanes - 1) / kLanes * kLanes : kPanel;
}

inline Index rightWords(Index words, Index columns) {
    return words * ((columns + kLanes - 1) / kLanes * kLanes);
}

template <typename Source, typename T>
void packRight(std::uint32_t* into, const T* from, Index stride, Index depth, Index columns) {
    constexpr Index kPanel = kPanelVectors * kLanes;
    const Index words = wordsOf<Source>(depth);
    for (Index p = 0; p < words; ++p) {
        auto* panel = reinterpret_cast<float*>(into);
        for (Index j = 0; j < columns; j += kPanel, panel += words * kPanel) {
            const Index width = panelColumns(columns - j);
            float* y = panel + p * width;
            for (Index c = 0; c < width; c += kLanes)
                store(y + c, Source::across(from, stride, depth, p, j + c, columns - j - c));
        }
    }
}

/// `count` rows of words from `from` on into a column each of y, whose rows are `width` floats.
template <typename Source, typename T>
inline void packColumns(float* y, Index width, const T* from, Index stride, Index depth,
                        Index count) {
    const Index words = wordsOf<Source>(depth);
    const Index whole = depth / Source::kPerWord;  // words without a missing element
    Index p = 0;
    for (; count == 4 && p + 4 <= whole; p += 4) {
        const Four a = Source::along(from, p);
        const Four b = Source::along(from + stride, p);
        const Four c = Source::along(from + 2 * stride, p);
        const Four d = Source::along(from + 3 * stride, p);
        const Four abLow = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        const Four abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const Four cdLow = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        const Four cdHigh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        float* to = y + p * width;
        *reinterpret_cast<UnalignedFour*>(to) = __builtin_shufflevector(abLow, cdLow, 0, 1, 4, 5);
        *reinterpret_cast<UnalignedFour*>(to + width) =
            __builtin_shufflevector(abLow, cdLow, 2, 3, 6, 7);
        *reinterpret_cast<UnalignedFour*>(to + 2 * width) =
            __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5);
        *reinterpret_cast<UnalignedFour*>(to + 3 * width) =
            __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7);
    }
    for (; p < words; ++p)
        for (Index i = 0; i < count; ++i)
            y[p * width + i] = Source::one(from + i * stride, depth, p);
}

template <typename Source, typename T>
void packRightTransposed(std::uint32_t* into, const T* from, Index stride, Index depth,
                         Index columns) {
    const Index words = wordsOf<Source>(depth);
    auto* y = reinterpret_cast<float*>(into);
    for (Index j = 0; j < columns; j += kPanelVectors * kLanes) {
        const Index width = panelColumns(columns - j);
        const Index real = columns - j < width ? columns - j : width;
        for (Index c = 0; c < real; c += 4)
            packColumns<Source>(y + c, width, from + (j + c) * stride, stride, depth,
                                real - c < 4 ? real - c : 4);
        for (Index p = 0; p < words; ++p)
            for (Index c = real; c < width; ++c) y[p * width + c] = 0.0F;
        y += words * width;
    }
}

template <typename Source, typename T>
void packLeft(std::uint32_t* into, const T* from, Index stride, Index rows, Index depth) {
    const Index words = wordsOf<Source>(depth);
    const Index whole = depth / Source::kPerWord;
    auto* y = reinterpret_cast<float*>(into);
    for (Index i = 0; i < rows; ++i, y += words) {
        const T* row = from + i * stride;
        Index p = 0;
        if constexpr (Source::kPerWord == 1)
            for (; p + kLanes <= words; p += kLanes) store(y + p, load(row + p));
        for (; p + 4 <= whole; p += 4)
            *reinterpret_cast<UnalignedFour*>(y + p) = Source::along(row, p);
        for (; p < words; ++p) y[p] = Source::one(row, depth, p);
    }
}

template <typename Source, typename T>
void packLeftTransposed(std::uint32_t* into, const T* from, Index stride, Index rows, Index depth) {
    const Index words = wordsOf<Source>(depth);
    auto* y = reinterpret_cast<float*>(into);
    for (Index p = 0; p < words; ++p, y += rows) {
        Index i = 0;
        for (; i + kLanes <= rows; i += kLanes)
            store(y + i, Source::across(from, stride, depth, p, i, kLanes));
        if (i < rows)
            storePart(y + i, Source::across(from, stride, depth, p, i, rows - i),
                      static_cast<int>(rows - i));
    }
}

}  // namespace core::cpu::UPCYCLER_ISA
