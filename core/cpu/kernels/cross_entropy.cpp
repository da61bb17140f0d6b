// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/largest.h"
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

/// dx = of(x), less target.atLabel at the label: worked out in float, so that it is rounded once.
template <typename T, typename F>
UPCYCLER_INLINE void gradientInto(T* dx, const T* x, const SmoothedTarget& target, Index n, F of) {
    const float atLabel = of(splat(value(x[target.label])))[0] - target.atLabel;
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(dx + i, of(get(x + i))); });
    storeOne(dx + target.label, atLabel);
}

}  // namespace

template <typename T>
float CrossEntropy<T>::logSumExp(const T* x, Index n) {
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

template <typename T>
void CrossEntropy<T>::backward(T* dx, const T* x, const SmoothedTarget& target, Index n) {
    gradientInto(
        dx, x, target, n, [t = target](Vec v) __attribute__((always_inline)) {
            return exp(v - t.shift) * t.factor - t.every;
        });
}

template <typename T>
double CrossEntropy<T>::binary(const T* x, float target, Index n) {
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

template <typename T>
void CrossEntropy<T>::binaryBackward(T* dx, const T* x, const SmoothedTarget& target, Index n) {
    gradientInto(
        dx, x, target, n, [t = target](Vec v) __attribute__((always_inline)) {
            return (sigmoid(v) - t.every) * t.factor;
        });
}

template struct CrossEntropy<float>;
template struct CrossEntropy<BFloat16>;

}  // namespace core::cpu::UPCYCLER_ISA
