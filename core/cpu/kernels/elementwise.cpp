// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

UPCYCLER_INLINE DoubleVec widen(HalfVec x) { return __builtin_convertvector(x, DoubleVec); }

template <typename Map>
UPCYCLER_INLINE double sumMapped(const float* x, Index n, Map map) {
    constexpr int kHalf = kLanes / 2;
    DoubleVec a{};
    DoubleVec b{};
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        a += map(widen(*reinterpret_cast<const UnalignedHalfVec*>(x + i)));
        b += map(widen(*reinterpret_cast<const UnalignedHalfVec*>(x + i + kHalf)));
    }
    double total = sum(a + b);
    for (; i < n; ++i) total += map(static_cast<double>(x[i]));
    return total;
}

}  // namespace

void add(float* y, const float* a, const float* b, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(a + i) + get(b + i)); });
}

void multiply(float* y, const float* a, const float* b, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(a + i) * get(b + i)); });
}

void axpy(float* y, const float* x, float factor, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(y + i) + get(x + i) * factor); });
}

void scaled(float* y, const float* x, float factor, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(x + i) * factor); });
}

float dot(const float* a, const float* b, Index n) {
    Vec total{};
    forVectors(
        n, [&](Index i, auto get, auto)
               __attribute__((always_inline)) { total += get(a + i) * get(b + i); });
    return sum(total);
}

double sumOf(const float* x, Index n) {
    return sumMapped(
        x, n, [](auto v) __attribute__((always_inline)) { return v; });
}

double sumOfSquares(const float* x, Index n) {
    return sumMapped(
        x, n, [](auto v) __attribute__((always_inline)) { return v * v; });
}

void columnSums(double* sums, const float* x, Index rows, Index columns, Index stride) {
    constexpr Index kRows = 64;
    for (Index top = 0; top < rows; top += kRows) {
        const Index bottom = top + kRows < rows ? top + kRows : rows;
        forVectors(
            columns, [&](Index c, auto get, auto) __attribute__((always_inline)) {
                Vec total{};
                for (Index r = top; r < bottom; ++r) total += get(x + r * stride + c);
                const Index width = columns - c < kLanes ? columns - c : kLanes;
                for (int i = 0; i < width; ++i) sums[c + i] += static_cast<double>(total[i]);
            });
    }
}

void addRows(float* y, const float* bias, Index rows, Index columns, Index stride) {
    for (Index r = 0; r < rows; ++r) add(y + r * stride, y + r * stride, bias, columns);
}

}  // namespace core::cpu::UPCYCLER_ISA
