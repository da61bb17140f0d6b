// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/simd.h"

namespace core::cpu::UPCYCLER_ISA {

/// The left factor of a small product: element (i, p) is data[i * row + p * step].
struct LeftFactor {
    const float* data;
    Index row;
    Index step;
};

constexpr int kTileVectors = kLanes == 16 ? 4 : 2;

template <int kRows, int kVectors, bool kAccumulate>
UPCYCLER_INLINE void productTile(float* c, Index ldc, LeftFactor a, const float* b, Index ldb,
                                 Index depth) {
    Vec total[kRows][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v)
            total[i][v] = kAccumulate ? load(c + i * ldc + v * kLanes) : Vec{};
    for (Index p = 0; p < depth; ++p) {
        Vec right[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) right[v] = load(b + p * ldb + v * kLanes);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
            const Vec left = splat(a.data[i * a.row + p * a.step]);
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) total[i][v] += left * right[v];
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) store(c + i * ldc + v * kLanes, total[i][v]);
}

/// Rows in steps of kRows, the rest in steps of half of it, and so on.
template <int kRows, int kVectors, bool kAccumulate>
inline void productRows(float* c, Index ldc, LeftFactor a, const float* b, Index ldb, Index rows,
                        Index depth) {
    Index i = 0;
    for (; i + kRows <= rows; i += kRows)
        productTile<kRows, kVectors, kAccumulate>(
            c + i * ldc, ldc, {a.data + i * a.row, a.row, a.step}, b, ldb, depth);
    if constexpr (kRows > 1) {
        if (i < rows)
            productRows<kRows / 2, kVectors, kAccumulate>(
                c + i * ldc, ldc, {a.data + i * a.row, a.row, a.step}, b, ldb, rows - i, depth);
    }
}

/// C = A B, or C += A B: C [rows, columns] and B [depth, columns] have rows of ldc and ldb floats;
/// columns is a multiple of kLanes.
template <bool kAccumulate>
inline void product(float* c, Index ldc, LeftFactor a, const float* b, Index ldb, Index rows,
                    Index columns, Index depth) {
    Index j = 0;
    if constexpr (kTileVectors == 4) {
        for (; j + 4 * kLanes <= columns; j += 4 * kLanes)
            productRows<6, 4, kAccumulate>(c + j, ldc, a, b + j, ldb, rows, depth);
        if (j + 3 * kLanes <= columns) {
            productRows<6, 3, kAccumulate>(c + j, ldc, a, b + j, ldb, rows, depth);
            j += 3 * kLanes;
        }
    }
    for (; j + 2 * kLanes <= columns; j += 2 * kLanes)
        productRows<kTileVectors == 4 ? 12 : 6, 2, kAccumulate>(c + j, ldc, a, b + j, ldb, rows,
                                                                depth);
    for (; j < columns; j += kLanes)
        productRows<12, 1, kAccumulate>(c + j, ldc, a, b + j, ldb, rows, depth);
}

}  // namespace core::cpu::UPCYCLER_ISA
