// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {
namespace {

/// Arithmetic outweighs memory here: a thread is worth less data than elsewhere.
constexpr std::int64_t kGrain = 1 << 12;

}  // namespace

void CpuBackend::activationForward(Out y, const Tensor& x, Activation kind) {
    const Kernels& k = start();
    withElements(x.dtype(), [&]<typename T>() {
        const auto function = k.of<T>().activationForward[static_cast<std::size_t>(kind)];
        T* into = y.data<T>();
        const T* from = x.data<T>();
        parallelFor(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
            function(into + begin, from + begin, end - begin);
        });
    });
}

void CpuBackend::activationBackward(Out dx, const Tensor& dy, const Tensor& x, Activation kind) {
    const Kernels& k = start();
    withElements(x.dtype(), [&]<typename T>() {
        const auto function = k.of<T>().activationBackward[static_cast<std::size_t>(kind)];
        T* into = dx.data<T>();
        const T* slope = dy.data<T>();
        const T* from = x.data<T>();
        parallelFor(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
            function(into + begin, slope + begin, from + begin, end - begin);
        });
    });
}

void CpuBackend::gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                        Activation kind) {
    const Kernels& k = start();
    withElements(x.dtype(), [&]<typename T>() {
        const auto function = k.of<T>().gatedForward[static_cast<std::size_t>(kind)];
        T* into = y.data<T>();
        const T* from = x.data<T>();
        const T* open = gate.data<T>();
        parallelFor(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
            function(into + begin, from + begin, open + begin, end - begin);
        });
    });
}

void CpuBackend::gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                         const Tensor& gate, Activation kind) {
    const Kernels& k = start();
    withElements(x.dtype(), [&]<typename T>() {
        const auto function = k.of<T>().gatedBackward[static_cast<std::size_t>(kind)];
        T* into = dx.data<T>();
        T* intoGate = dGate.data<T>();
        const T* slope = dy.data<T>();
        const T* from = x.data<T>();
        const T* open = gate.data<T>();
        parallelFor(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
            function(into + begin, intoGate + begin, slope + begin, from + begin, open + begin,
                     end - begin);
        });
    });
}

}  // namespace core::cpu
