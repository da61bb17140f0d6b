// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

/// Rows whose gradients of gamma are summed in float before they join the double totals.
constexpr Index kBlock = 64;

template <typename T>
UPCYCLER_INLINE void parameterSums(double* dGamma, const T* dy, const T* x, const float* rstd,
                                   Index rows, Index columns) {
    forVectors(
        columns, [&](Index c, auto get, auto) __attribute__((always_inline)) {
            Vec total{};
            for (Index r = 0; r < rows; ++r)
                total += get(dy + r * columns + c) * (get(x + r * columns + c) * rstd[r]);
            const Index width = columns - c < kLanes ? columns - c : kLanes;
            for (int i = 0; i < width; ++i) dGamma[c + i] += static_cast<double>(total[i]);
        });
}

template <typename T>
UPCYCLER_INLINE void backwardRow(T* dx, const T* dy, const T* x, float rstd, const float* gamma,
                                 Index columns) {
    Vec inner{};
    forVectors(
        columns, [&](Index i, auto get, auto) __attribute__((always_inline)) {
            inner += get(dy + i) * get(gamma + i) * get(x + i);
        });
    const float slope = sum(inner) * rstd * rstd / static_cast<float>(columns);
    forVectors(
        columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            put(dx + i, (get(dy + i) * get(gamma + i) - get(x + i) * slope) * rstd);
        });
}

}  // namespace

template <typename T>
void RmsNorm<T>::forward(T* y, float* rstd, const T* x, const float* gamma, Index rows,
                         Index columns, float epsilon) {
    for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
        Vec squares{};
        forVectors(
            columns, [&](Index i, auto get, auto) __attribute__((always_inline)) {
                const Vec v = get(x + i);
                squares += v * v;
            });
        const float mean = sum(squares) / static_cast<float>(columns);
        const float inverse = 1.0F / __builtin_sqrtf(mean + epsilon);
        rstd[r] = inverse;
        forVectors(
            columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                put(y + i, get(x + i) * inverse * get(gamma + i));
            });
    }
}

template <typename T>
void RmsNorm<T>::backward(T* dx, double* dGamma, const T* dy, const T* x, const float* rstd,
                          const float* gamma, Index rows, Index columns) {
    for (Index top = 0; top < rows; top += kBlock) {
        const Index count = top + kBlock < rows ? kBlock : rows - top;
        const Index at = top * columns;
        parameterSums(dGamma, dy + at, x + at, rstd + top, count, columns);
        for (Index r = top; r < top + count; ++r)
            backwardRow(dx + r * columns, dy + r * columns, x + r * columns, rstd[r], gamma,
                        columns);
    }
}

template struct RmsNorm<float>;
template struct RmsNorm<BFloat16>;

}  // namespace core::cpu::UPCYCLER_ISA
