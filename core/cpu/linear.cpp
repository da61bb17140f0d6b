// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

#include <array>

namespace core::cpu {

void CpuBackend::linearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const std::array<std::int64_t, 2> offsets{0, x.size(0)};
    const LinearProducts products{start(), offsets, weight.size(1), weight.size(0)};
    products.forward(y.data<float>(), x.data<float>(), weight.data<float>(),
                     bias.defined() ? bias.data<float>() : nullptr);
}

void CpuBackend::linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) {
    const std::array<std::int64_t, 2> offsets{0, dy.size(0)};
    const LinearProducts products{start(), offsets, weight.size(1), weight.size(0)};
    products.backwardData(dx.data<float>(), dy.data<float>(), weight.data<float>());
}

void CpuBackend::linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                      const Tensor& x) {
    const std::array<std::int64_t, 2> offsets{0, x.size(0)};
    const LinearProducts products{start(), offsets, x.size(1), dy.size(1)};
    products.backwardWeight(dWeight.data<float>(), dBias.defined() ? dBias.data<float>() : nullptr,
                            dy.data<float>(), x.data<float>());
}

void CpuBackend::linearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                         const Tensor& bias, Activation kind) {
    linearForward(before, x, weight, bias);
    activationForward(y, before, kind);
}

void CpuBackend::linearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                              const Tensor& before, Activation kind) {
    linearBackwardData(dBefore, dy, weight);
    activationBackward(dBefore, dBefore, before, kind);
}

}  // namespace core::cpu
