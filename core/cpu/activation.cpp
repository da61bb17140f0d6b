// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {
namespace {

/// Arithmetic outweighs memory here: a thread is worth less data than elsewhere.
constexpr std::int64_t kGrain = 1 << 12;

}  // namespace

void CpuBackend::activationForward(Out y, const Tensor& x, Activation kind) {
    const auto function = start().activationForward[static_cast<std::size_t>(kind)];
    float* into = y.data<float>();
    const float* from = x.data<float>();
    parallelFor(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
        function(into + begin, from + begin, end - begin);
    });
}

void CpuBackend::activationBackward(Out dx, const Tensor& dy, const Tensor& x, Activation kind) {
    const auto function = start().activationBackward[static_cast<std::size_t>(kind)];
    float* into = dx.data<float>();
    const float* slope = dy.data<float>();
    const float* from = x.data<float>();
    parallelFor(x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end, int) {
        function(into + begin, slope + begin, from + begin, end - begin);
    });
}

void CpuBackend::gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                        Activation kind) {
    activationForward(y, x, kind);
    multiply(y, y, gate);
}

void CpuBackend::gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                         const Tensor& gate, Activation kind) {
    activationForward(dGate, x, kind);
    multiply(dGate, dGate, dy);
    multiply(dx, dy, gate);
    activationBackward(dx, dx, x, kind);
}

}  // namespace core::cpu
