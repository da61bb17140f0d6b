// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

constexpr float kRootHalf = 0.707106781F;
constexpr float kInverseRootTwoPi = 0.398942280F;
constexpr float kTwiceRootTwoOverPi = 1.59576912F;  // 2 sqrt(2 / pi)
constexpr float kTanhCubic = 0.044715F;

struct GeluErf {
    UPCYCLER_INLINE Vec value(Vec x) { return 0.5F * x * (erf(x * kRootHalf) + 1.0F); }
    UPCYCLER_INLINE Vec slope(Vec x) {
        const Vec density = exp(x * x * -0.5F) * kInverseRootTwoPi;
        const Vec share = erf(x * kRootHalf) * 0.5F + 0.5F;
        return share + clampAbs(x, 20.0F) * density;
    }
};

/// 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
struct GeluTanh {
    UPCYCLER_INLINE Vec twiceInner(Vec x) {
        return (x * x * kTanhCubic + 1.0F) * x * kTwiceRootTwoOverPi;
    }
    UPCYCLER_INLINE Vec value(Vec x) { return x * sigmoid(twiceInner(x)); }
    UPCYCLER_INLINE Vec slope(Vec x) {
        const Vec near = clampAbs(x, 20.0F);
        const Vec s = sigmoid(twiceInner(near));
        const Vec inner = (near * near * (3.0F * kTanhCubic) + 1.0F) * kTwiceRootTwoOverPi;
        return s + near * inner * s * (1.0F - s);
    }
};

struct Relu {
    UPCYCLER_INLINE Vec value(Vec x) { return x < 0.0F ? Vec{} : x; }
    UPCYCLER_INLINE Vec slope(Vec x) { return x > 0.0F ? splat(1.0F) : Vec{}; }
};

struct Silu {
    UPCYCLER_INLINE Vec value(Vec x) { return x * sigmoid(x); }
    UPCYCLER_INLINE Vec slope(Vec x) {
        const Vec s = sigmoid(x);
        return s + clampAbs(x, 100.0F) * s * (1.0F - s);
    }
};

template <typename F>
void forward(float* y, const float* x, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, F::value(get(x + i))); });
}

template <typename F>
void backward(float* dx, const float* dy, const float* x, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(dx + i, get(dy + i) * F::slope(get(x + i))); });
}

}  // namespace

void geluErfForward(float* y, const float* x, Index n) { forward<GeluErf>(y, x, n); }
void geluErfBackward(float* dx, const float* dy, const float* x, Index n) {
    backward<GeluErf>(dx, dy, x, n);
}
void geluTanhForward(float* y, const float* x, Index n) { forward<GeluTanh>(y, x, n); }
void geluTanhBackward(float* dx, const float* dy, const float* x, Index n) {
    backward<GeluTanh>(dx, dy, x, n);
}
void reluForward(float* y, const float* x, Index n) { forward<Relu>(y, x, n); }
void reluBackward(float* dx, const float* dy, const float* x, Index n) {
    backward<Relu>(dx, dy, x, n);
}
void siluForward(float* y, const float* x, Index n) { forward<Silu>(y, x, n); }
void siluBackward(float* dx, const float* dy, const float* x, Index n) {
    backward<Silu>(dx, dy, x, n);
}

}  // namespace core::cpu::UPCYCLER_ISA
