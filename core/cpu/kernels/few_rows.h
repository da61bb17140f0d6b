// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/simd.h"

namespace core::cpu::UPCYCLER_ISA {

/// C [rows, columns] = left right^T + bias of which every row is a row of T in memory.
template <typename T>
struct RowsProduct {
    float* c;
    Index stride;
    const T* left;
    Index leftStride;
    const T* right;
    Index rightStride;
    const float* bias;  ///< or null
    Index depth;

    template <int kLeft, int kRight>
    __attribute__((noinline)) void tile(Index row, Index column) const {
        Vec total[kLeft][kRight]{};
        const T* const x = left + row * leftStride;
        const T* const w = right + column * rightStride;
        const auto add = [&](Index p, auto get) __attribute__((always_inline)) {
            Vec rows[kLeft];
#pragma GCC unroll 8
            for (int i = 0; i < kLeft; ++i) rows[i] = get(x + i * leftStride + p);
#pragma GCC unroll 8
            for (int j = 0; j < kRight; ++j) {
                const Vec weights = get(w + j * rightStride + p);
#pragma GCC unroll 8
                for (int i = 0; i < kLeft; ++i) total[i][j] += rows[i] * weights;
            }
        };
        Index p = 0;
        for (; p + kLanes <= depth; p += kLanes)
            add(
                p, [](const T* from) __attribute__((always_inline)) { return load(from); });
        const int rest = static_cast<int>(depth - p);
        if (rest > 0)
            add(
                p, [rest](const T* from)
                       __attribute__((always_inline)) { return loadPart(from, rest); });
#pragma GCC unroll 8
        for (int i = 0; i < kLeft; ++i)
#pragma GCC unroll 8
            for (int j = 0; j < kRight; ++j)
                c[(row + i) * stride + column + j] =
                    sum(total[i][j]) + (bias == nullptr ? 0.0F : bias[column + j]);
    }

    template <int kLeft>
    void rowsOf(Index row, Index columns) const {
        constexpr int kRight = kLeft == 1 ? 8 : 4;
        Index j = 0;
        for (; j + kRight <= columns; j += kRight) tile<kLeft, kRight>(row, j);
        for (; j < columns; ++j) tile<kLeft, 1>(row, j);
    }
};

/// Rows of right are read once for a few rows of left: as many as there are registers for.
template <typename T>
void multiplyFewRows(float* c, Index stride, const T* left, Index leftStride, const T* right,
                     Index rightStride, const float* bias, Index rows, Index columns, Index depth) {
    const RowsProduct<T> product{c, stride, left, leftStride, right, rightStride, bias, depth};
    Index row = 0;
    if constexpr (kLanes == 16)
        for (; row + 4 <= rows; row += 4) product.template rowsOf<4>(row, columns);
    for (; row + 2 <= rows; row += 2) product.template rowsOf<2>(row, columns);
    if (row < rows) product.template rowsOf<1>(row, columns);
}

}  // namespace core::cpu::UPCYCLER_ISA
