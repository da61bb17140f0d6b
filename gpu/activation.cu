// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/elements.h"
#include "gpu/tensors.h"

namespace gpu {
namespace {

/// y = f(x), times the gate where there is one.
template <typename T, typename F, bool kGated>
struct ValueRule {
    T* y;
    const T* x;
    const T* gate;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const Pack<T, N> from = loadPack<N>(x + i);
        Pack<T, N> factor = from;
        if (kGated) factor = loadPack<N>(gate + i);
        Pack<T, N> into;
        for (int k = 0; k < N; ++k) {
            const float value = F::value(toFloat(from.at[k]));
            into.at[k] = fromFloat<T>(kGated ? value * toFloat(factor.at[k]) : value);
        }
        storePack(y + i, into);
    }
};

/// dx = dy * f'(x)
template <typename T, typename F>
struct SlopeRule {
    T* dx;
    const T* dy;
    const T* x;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const Pack<T, N> slope = loadPack<N>(dy + i);
        const Pack<T, N> from = loadPack<N>(x + i);
        Pack<T, N> into;
        for (int k = 0; k < N; ++k)
            into.at[k] = fromFloat<T>(toFloat(slope.at[k]) * F::slope(toFloat(from.at[k])));
        storePack(dx + i, into);
    }
};

/// dx = dy * gate * f'(x), dGate = dy * f(x)
template <typename T, typename F>
struct GatedSlopeRule {
    T* dx;
    T* dGate;
    const T* dy;
    const T* x;
    const T* gate;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const Pack<T, N> slope = loadPack<N>(dy + i);
        const Pack<T, N> from = loadPack<N>(x + i);
        const Pack<T, N> factor = loadPack<N>(gate + i);
        Pack<T, N> into;
        Pack<T, N> intoGate;
        for (int k = 0; k < N; ++k) {
            const float at = toFloat(from.at[k]);
            const float d = toFloat(slope.at[k]);
            into.at[k] = fromFloat<T>(d * toFloat(factor.at[k]) * F::slope(at));
            intoGate.at[k] = fromFloat<T>(d * F::value(at));
        }
        storePack(dx + i, into);
        storePack(dGate + i, intoGate);
    }
};

/// body(Tag<T>, Tag<F>) for the type of the elements and the kind of activation.
template <typename Body>
void forTypeAndKind(core::DType type, core::Activation kind, Body body) {
    forType(type, [&](auto typeTag) {
        forActivation(kind, [&](auto kindTag) { body(typeTag, kindTag); });
    });
}

}  // namespace

void CudaBackend::activationForward(Out y, const Tensor& x, Activation kind) {
    forTypeAndKind(x.dtype(), kind, [&](auto typeTag, auto kindTag) {
        using T = typename decltype(typeTag)::Type;
        const ValueRule<T, typename decltype(kindTag)::Type, false> rule{data<T>(y), data<T>(x),
                                                                         nullptr};
        forElements<T>(stream(), x.elements(), {rule.y, rule.x}, rule);
    });
}

void CudaBackend::activationBackward(Out dx, const Tensor& dy, const Tensor& x, Activation kind) {
    forTypeAndKind(x.dtype(), kind, [&](auto typeTag, auto kindTag) {
        using T = typename decltype(typeTag)::Type;
        const SlopeRule<T, typename decltype(kindTag)::Type> rule{data<T>(dx), data<T>(dy),
                                                                  data<T>(x)};
        forElements<T>(stream(), x.elements(), {rule.dx, rule.dy, rule.x}, rule);
    });
}

void CudaBackend::gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                         Activation kind) {
    forTypeAndKind(x.dtype(), kind, [&](auto typeTag, auto kindTag) {
        using T = typename decltype(typeTag)::Type;
        const ValueRule<T, typename decltype(kindTag)::Type, true> rule{data<T>(y), data<T>(x),
                                                                        data<T>(gate)};
        forElements<T>(stream(), x.elements(), {rule.y, rule.x, rule.gate}, rule);
    });
}

void CudaBackend::gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                          const Tensor& gate, Activation kind) {
    forTypeAndKind(x.dtype(), kind, [&](auto typeTag, auto kindTag) {
        using T = typename decltype(typeTag)::Type;
        const GatedSlopeRule<T, typename decltype(kindTag)::Type> rule{
            data<T>(dx), data<T>(dGate), data<T>(dy), data<T>(x), data<T>(gate)};
        forElements<T>(stream(), x.elements(), {rule.dx, rule.dGate, rule.dy, rule.x, rule.gate},
                       rule);
    });
}

}  // namespace gpu
