// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {

void adamw(float* weight, float* m, float* v, const float* gradient, const AdamWScalars& s,
           Index n) {
    const float inverseCorrection = 1.0F / s.rootCorrection;
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            const Vec g = get(gradient + i) * s.gradientScale;
            const Vec first = get(m + i) + (g - get(m + i)) * s.mix1;
            const Vec second = get(v + i) * s.beta2 + g * g * s.mix2;
            put(m + i, first);
            put(v + i, second);
            const Vec denominator = sqrt(second) * inverseCorrection + s.epsilon;
            put(weight + i, get(weight + i) * s.keep - s.stepSize * first / denominator);
        });
}

void sgd(float* weight, float* momentum, const float* gradient, float lr, float mu, float decay,
         float gradientScale, bool nesterov, bool first, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            const Vec w = get(weight + i);
            const Vec g = get(gradient + i) * gradientScale + w * decay;
            const Vec buffer = first ? g : get(momentum + i) * mu + g;
            put(momentum + i, buffer);
            put(weight + i, w - (nesterov ? g + buffer * mu : buffer) * lr);
        });
}

}  // namespace core::cpu::UPCYCLER_ISA
