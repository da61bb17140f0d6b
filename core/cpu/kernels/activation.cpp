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

/// In the order of core::Activation.
template <int kind>
struct Nonlinearity;
template <>
struct Nonlinearity<0> : GeluErf {};
template <>
struct Nonlinearity<1> : GeluTanh {};
template <>
struct Nonlinearity<2> : Relu {};
template <>
struct Nonlinearity<3> : Silu {};

}  // namespace

template <typename T, int kind>
void Activated<T, kind>::forward(T* y, const T* x, Index n) {
    using F = Nonlinearity<kind>;
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, F::value(get(x + i))); });
}

template <typename T, int kind>
void Activated<T, kind>::backward(T* dx, const T* dy, const T* x, Index n) {
    using F = Nonlinearity<kind>;
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(dx + i, get(dy + i) * F::slope(get(x + i))); });
}

template <typename T, int kind>
void Activated<T, kind>::gatedForward(T* y, const T* x, const T* gate, Index n) {
    using F = Nonlinearity<kind>;
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            put(y + i, F::value(get(x + i)) * get(gate + i));
        });
}

template <typename T, int kind>
void Activated<T, kind>::gatedBackward(T* dx, T* dGate, const T* dy, const T* x, const T* gate,
                                       Index n) {
    using F = Nonlinearity<kind>;
    forVectors(
        n, [&](Index i, auto get, auto put) __attribute__((always_inline)) {
            const Vec slope = get(dy + i);
            const Vec at = get(x + i);
            const Vec open = get(gate + i);
            put(dGate + i, F::value(at) * slope);
            put(dx + i, slope * open * F::slope(at));
        });
}

template struct Activated<float, 0>;
template struct Activated<float, 1>;
template struct Activated<float, 2>;
template struct Activated<float, 3>;
template struct Activated<BFloat16, 0>;
template struct Activated<BFloat16, 1>;
template struct Activated<BFloat16, 2>;
template struct Activated<BFloat16, 3>;

}  // namespace core::cpu::UPCYCLER_ISA
