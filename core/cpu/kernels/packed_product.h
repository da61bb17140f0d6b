// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/product_kernels.h"
#include "core/cpu/kernels/simd.h"

namespace core::cpu::UPCYCLER_ISA {

/// Words are floats.
struct Floats {
    UPCYCLER_INLINE Vec multiplyAdd(Vec total, const char* left, Vec right) {
        return total + splat(*reinterpret_cast<const float*>(left)) * right;
    }
};

#if defined(__AVX512BF16__)
/// Words are two bf16; a product of such words is added in two roundings.
struct Pairs {
    UPCYCLER_INLINE Vec multiplyAdd(Vec total, const char* left, Vec right) {
        typedef std::int32_t Word __attribute__((aligned(2), may_alias));
        const __m512i both = _mm512_set1_epi32(*reinterpret_cast<const Word*>(left));
        return _mm512_dpbf16_ps(total, __builtin_bit_cast(__m512bh, right),
                                __builtin_bit_cast(__m512bh, both));
    }
};
#endif

/// Columns of a panel of the packed right factor, in vectors; the last panel may be narrower.
constexpr int kPanelVectors = kLanes == 16 ? 4 : 2;

/// Rows of a tile of that many vectors: as many sums as there are registers for.
constexpr int tileRows(int vectors) {
    if constexpr (kLanes == 16) return vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
    return vectors == 2 ? 6 : 12;
}

/// Where a tile lies: its corner of C, its rows of the left factor, its panel, and how many lanes
/// of its last vector are columns of C.
template <typename C>
struct Tile {
    C* c;
    const char* left;
    const float* right;
    const float* bias;
    int lastLanes;
};

template <typename P>
UPCYCLER_INLINE Vec loadLanes(const P* p, bool part, int lanes) {
    return part ? loadPart(p, lanes) : load(p);
}

template <typename Arithmetic, int kRows, int kVectors, typename C>
__attribute__((noinline)) void multiplyTile(const Tile<C>& tile, const BlockProduct& product) {
    Vec total[kRows][kVectors];
    const int lanes = tile.lastLanes;
    const bool part = lanes < kLanes;
    C* const c = tile.c;
    const Index stride = product.stride;
    if (tile.bias != nullptr) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            const Vec bias = loadLanes(tile.bias + v * kLanes, part && v == kVectors - 1, lanes);
#pragma GCC unroll 16
            for (int i = 0; i < kRows; ++i) total[i][v] = bias;
        }
    } else if (product.accumulate) {
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v)
                total[i][v] =
                    loadLanes(c + i * stride + v * kLanes, part && v == kVectors - 1, lanes);
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) total[i][v] = Vec{};
    }
    const char* left = tile.left;
    const Index row = product.left.row;
    const Index step = product.left.step;
    const float* right = tile.right;
    const float* const end = right + product.words * (kVectors * kLanes);
    for (; right != end; right += kVectors * kLanes, left += step) {
        Vec panel[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) panel[v] = load(right + v * kLanes);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v)
                total[i][v] = Arithmetic::multiplyAdd(total[i][v], left + i * row, panel[v]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
            C* into = c + i * stride + v * kLanes;
            if (part && v == kVectors - 1)
                storePart(into, total[i][v], lanes);
            else
                store(into, total[i][v]);
        }
}

/// `rows` rows from the tile's on: in steps of kRows, the rest in steps of half of it, and so on.
template <typename Arithmetic, int kRows, int kVectors, typename C>
inline void multiplyRows(Tile<C> tile, const BlockProduct& product, Index rows) {
    for (; rows >= kRows; rows -= kRows) {
        multiplyTile<Arithmetic, kRows, kVectors>(tile, product);
        tile.c += kRows * product.stride;
        tile.left += kRows * product.left.row;
    }
    if constexpr (kRows > 1)
        if (rows > 0) multiplyRows<Arithmetic, kRows / 2, kVectors>(tile, product, rows);
}

template <typename Arithmetic, int kVectors, typename C>
inline void multiplyPanel(const Tile<C>& tile, const BlockProduct& product, Index vectors) {
    if (vectors >= kVectors)
        multiplyRows<Arithmetic, tileRows(kVectors), kVectors>(tile, product, product.rows);
    else if constexpr (kVectors > 1)
        multiplyPanel<Arithmetic, kVectors - 1>(tile, product, vectors);
}

template <typename Arithmetic, typename C>
void multiplyBlock(C* c, const BlockProduct& product) {
    const float* right = reinterpret_cast<const float*>(product.right);
    for (Index j = 0; j < product.columns; j += kPanelVectors * kLanes) {
        const Index columns = product.columns - j;
        const Index vectors = (columns + kLanes - 1) / kLanes;
        const Index most = vectors < kPanelVectors ? vectors : kPanelVectors;
        const Index lanes = columns - (most - 1) * kLanes;
        multiplyPanel<Arithmetic, kPanelVectors>(
            Tile<C>{c + j, static_cast<const char*>(product.left.data), right,
                    product.bias == nullptr ? nullptr : product.bias + j,
                    static_cast<int>(lanes < kLanes ? lanes : kLanes)},
            product, most);
        right += product.panelWords * most * kLanes;
    }
}

}  // namespace core::cpu::UPCYCLER_ISA
