// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

/// Rows whose gradients of gamma and beta are summed in float before they join the double totals.
constexpr Index kBlock = 64;

struct Moments {
    float mean;
    float variance;
};

template <typename T>
UPCYCLER_INLINE Moments momentsOf(const T* x, Index columns) {
    const float count = static_cast<float>(columns);
    Vec total{};
    forVectors(
        columns, [&](Index i, auto get, auto)
                     __attribute__((always_inline)) { total += get(x + i); });
    const float mean = sum(total) / count;
    Vec squares{};
    const Index whole = columns / kLanes * kLanes;
    for (Index i = 0; i < whole; i += kLanes) {
        const Vec d = load(x + i) - mean;
        squares += d * d;
    }
    float rest = 0.0F;
    for (Index i = whole; i < columns; ++i) rest += (value(x[i]) - mean) * (value(x[i]) - mean);
    return {mean, (sum(squares) + rest) / count};
}

/// dy * gamma waits in `products` [columns] between the passes: as a number of its own, so that the
/// second pass subtracts from it what the first one summed. A product that is fused with a
/// subtraction is another number, and what cancels exactly (one column) would leave its rounding
/// times rstd.
template <typename T>
UPCYCLER_INLINE void backwardRow(T* dx, const T* dy, const T* x, float mean, float rstd,
                                 const float* gamma, float* products, Index columns) {
    Vec sumG{};
    Vec sumGx{};
    forVectors(
        columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            const Vec g = get(dy + i) * get(gamma + i);
            put(products + i, g);
            sumG += g;
            sumGx += g * (get(x + i) - mean);
        });
    const float count = static_cast<float>(columns);
    const float meanG = sum(sumG) / count;
    const float slope = sum(sumGx) * rstd * rstd / count;
    forVectors(
        columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            put(dx + i, (get(products + i) - meanG - (get(x + i) - mean) * slope) * rstd);
        });
}

template <typename T>
UPCYCLER_INLINE void parameterSums(double* dGamma, double* dBeta, const T* dy, const T* x,
                                   const float* mean, const float* rstd, Index rows,
                                   Index columns) {
    forVectors(
        columns, [&](Index c, auto get, auto) __attribute__((always_inline)) {
            Vec gamma{};
            Vec beta{};
            for (Index r = 0; r < rows; ++r) {
                const Vec g = get(dy + r * columns + c);
                beta += g;
                gamma += g * ((get(x + r * columns + c) - mean[r]) * rstd[r]);
            }
            const Index width = columns - c < kLanes ? columns - c : kLanes;
            for (int i = 0; i < width; ++i) {
                dGamma[c + i] += static_cast<double>(gamma[i]);
                dBeta[c + i] += static_cast<double>(beta[i]);
            }
        });
}

}  // namespace

template <typename T>
void LayerNorm<T>::forward(T* y, float* mean, float* rstd, const T* x, const float* gamma,
                           const float* beta, Index rows, Index columns, float epsilon) {
    for (Index r = 0; r < rows; ++r, x += columns, y += columns) {
        const Moments moments = momentsOf(x, columns);
        const float inverse = 1.0F / __builtin_sqrtf(moments.variance + epsilon);
        mean[r] = moments.mean;
        rstd[r] = inverse;
        forVectors(
            columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                put(y + i, (get(x + i) - moments.mean) * inverse * get(gamma + i) + get(beta + i));
            });
    }
}

template <typename T>
void LayerNorm<T>::backward(T* dx, double* dGamma, double* dBeta, const T* dy, const T* x,
                            const float* mean, const float* rstd, const float* gamma,
                            float* scratch, Index rows, Index columns) {
    for (Index top = 0; top < rows; top += kBlock) {
        const Index count = top + kBlock < rows ? kBlock : rows - top;
        const Index at = top * columns;
        parameterSums(dGamma, dBeta, dy + at, x + at, mean + top, rstd + top, count, columns);
        for (Index r = top; r < top + count; ++r)
            backwardRow(dx + r * columns, dy + r * columns, x + r * columns, mean[r], rstd[r],
                        gamma, scratch, columns);
    }
}

template struct LayerNorm<float>;
template struct LayerNorm<BFloat16>;

}  // namespace core::cpu::UPCYCLER_ISA
