// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {

void squareSums(double* rowSums, double* columnSums, const float* x, Index rows, Index columns) {
    constexpr Index kRows = 64;
    for (Index r = 0; r < rows; ++r) rowSums[r] = sumOfSquares(x + r * columns, columns);
    for (Index top = 0; top < rows; top += kRows) {
        const Index bottom = top + kRows < rows ? top + kRows : rows;
        forVectors(
            columns, [&](Index c, auto get, auto) __attribute__((always_inline)) {
                Vec total{};
                for (Index r = top; r < bottom; ++r)
                    total += get(x + r * columns + c) * get(x + r * columns + c);
                const Index width = columns - c < kLanes ? columns - c : kLanes;
                for (int i = 0; i < width; ++i) columnSums[c + i] += static_cast<double>(total[i]);
            });
    }
}

double weightedSquares(const float* x, const float* factors, Index n) {
    Vec total{};
    forVectors(
        n, [&](Index i, auto get, auto) __attribute__((always_inline)) {
            const Vec u = get(x + i) * get(factors + i);
            total += u * u;
        });
    return static_cast<double>(sum(total));
}

void adafactorRow(float* weight, const float* gradient, const float* factors, float keep,
                  float rate, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            put(weight + i, get(weight + i) * keep - get(gradient + i) * get(factors + i) * rate);
        });
}

double adafactorMoment(float* moment, const float* gradient, const AdafactorScalars& s, Index n) {
    constexpr Index kBlock = 4096;
    double squares = 0.0;
    for (Index at = 0; at < n; at += kBlock) {
        Vec total{};
        forVectors(
            n - at < kBlock ? n - at : kBlock, [&](Index i, auto get,
                                                   auto put) __attribute__((always_inline)) {
                const Vec g = get(gradient + at + i) * s.gradientScale;
                const Vec square = g * g;
                const Vec second = get(moment + at + i) * s.decay + (square + s.epsilon) * s.mix;
                put(moment + at + i, second);
                total += square / second;
            });
        squares += static_cast<double>(sum(total));
    }
    return squares;
}

void adafactorFull(float* weight, const float* gradient, const float* moment, float keep,
                   float rate, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            const Vec root = sqrt(get(moment + i));
            put(weight + i, get(weight + i) * keep - get(gradient + i) * rate / root);
        });
}

}  // namespace core::cpu::UPCYCLER_ISA
