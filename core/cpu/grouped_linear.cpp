// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

namespace core::cpu {

void CpuBackend::groupedLinearForward(Out y, const Tensor& x, const Tensor& weight,
                                      const Tensor& bias, std::span<const std::int64_t> offsets) {
    const LinearProducts products{start(), offsets, weight.size(2), weight.size(1)};
    products.forward(y.data<float>(), x.data<float>(), weight.data<float>(),
                     bias.defined() ? bias.data<float>() : nullptr);
}

void CpuBackend::groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                           std::span<const std::int64_t> offsets) {
    const LinearProducts products{start(), offsets, weight.size(2), weight.size(1)};
    products.backwardData(dx.data<float>(), dy.data<float>(), weight.data<float>());
}

void CpuBackend::groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                             const Tensor& x,
                                             std::span<const std::int64_t> offsets) {
    const LinearProducts products{start(), offsets, x.size(1), dy.size(1)};
    products.backwardWeight(dWeight.data<float>(), dBias.defined() ? dBias.data<float>() : nullptr,
                            dy.data<float>(), x.data<float>());
}

void CpuBackend::groupedLinearActivationForward(Out y, Out before, const Tensor& x,
                                                const Tensor& weight, const Tensor& bias,
                                                std::span<const std::int64_t> offsets,
                                                Activation kind) {
    groupedLinearForward(before, x, weight, bias, offsets);
    activationForward(y, before, kind);
}

void CpuBackend::groupedLinearActivationBackwardData(Out dBefore, const Tensor& dy,
                                                     const Tensor& weight, const Tensor& before,
                                                     std::span<const std::int64_t> offsets,
                                                     Activation kind) {
    groupedLinearBackwardData(dBefore, dy, weight, offsets);
    activationBackward(dBefore, dBefore, before, kind);
}

}  // namespace core::cpu
