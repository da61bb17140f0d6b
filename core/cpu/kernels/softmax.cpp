// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/largest.h"
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {

void expInto(float* y, const float* x, float shift, float factor, bool accumulate, Index n) {
    if (accumulate)
        forVectors(
            n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                put(y + i, get(y + i) + exp(get(x + i) - shift) * factor);
            });
    else
        forVectors(
            n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                put(y + i, exp(get(x + i) - shift) * factor);
            });
}

void softmaxForward(float* y, const float* x, Index rows, Index columns) {
    for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
        const float most = largestOf(x, columns);
        expInto(y, x, most, 1.0F, false, columns);
        Vec total{};
        forVectors(
            columns, [&](Index i, auto get, auto)
                         __attribute__((always_inline)) { total += get(y + i); });
        Elementwise<float>::scaled(y, y, 1.0F / sum(total), columns);
    }
}

void softmaxBackward(float* dx, const float* dy, const float* y, Index rows, Index columns) {
    for (Index r = 0; r < rows; ++r, dx += columns, dy += columns, y += columns) {
        const float inner = Elementwise<float>::dot(dy, y, columns);
        forVectors(
            columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                put(dx + i, get(y + i) * (get(dy + i) - inner));
            });
    }
}

}  // namespace core::cpu::UPCYCLER_ISA
