// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

/// NaN when an element is NaN.
float largestOf(const float* x, Index n) {
    const auto larger = [](Vec a, Vec b) __attribute__((always_inline)) {
        return ((b > a) | (b != b)) ? b : a;
    };
    Vec most = splat(x[0]);
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes) most = larger(most, load(x + i));
    for (; i < n; ++i) most = larger(most, splat(x[i]));
    return fold(most, larger);
}

}  // namespace

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
        scaled(y, y, 1.0F / sum(total), columns);
    }
}

void softmaxBackward(float* dx, const float* dy, const float* y, Index rows, Index columns) {
    for (Index r = 0; r < rows; ++r, dx += columns, dy += columns, y += columns) {
        const float inner = dot(dy, y, columns);
        forVectors(
            columns, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
                put(dx + i, get(y + i) * (get(dy + i) - inner));
            });
    }
}

float logSumExp(const float* x, Index n) {
    const float most = largestOf(x, n);
    const bool finite = __builtin_isfinite(most);
    if (!finite) return most;
    Vec total{};
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes) total += exp(load(x + i) - most);
    float rest = 0.0F;
    if (i < n) {
        const int count = static_cast<int>(n - i);
        const Vec part = exp(loadPart(x + i, count) - most);
        for (int k = 0; k < count; ++k) rest += part[k];
    }
    return most + static_cast<float>(__builtin_log(static_cast<double>(sum(total) + rest)));
}

double binaryCrossEntropy(const float* x, float target, Index n) {
    double total = 0.0;
    forVectors(
        n, [&](Index i, auto get, auto) __attribute__((always_inline)) {
            const Vec v = get(x + i);
            const Vec loss = (v < 0.0F ? Vec{} : v) + log1pUnit(exp(-abs(v))) - v * target;
            const Index width = n - i < kLanes ? n - i : kLanes;
            for (int k = 0; k < width; ++k) total += static_cast<double>(loss[k]);
        });
    return total;
}

void binaryCrossEntropyBackward(float* dx, const float* x, float target, float factor, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            put(dx + i, (sigmoid(get(x + i)) - target) * factor);
        });
}

}  // namespace core::cpu::UPCYCLER_ISA
