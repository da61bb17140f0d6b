// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

namespace core::cpu {
namespace {

const float* floatsOrNull(const Tensor& t) { return t.defined() ? t.data<float>() : nullptr; }

}  // namespace

void CpuBackend::groupedLinearForward(Out y, const Tensor& x, const Tensor& weight,
                                      const Tensor& bias, const ExpertOffsets& offsets) {
    const Kernels& kernels = start();
    withElements(x.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets.host, weight.size(2), weight.size(1)};
        products.forward(y.data<T>(), x.data<T>(), weight.data<T>(), floatsOrNull(bias));
    });
}

void CpuBackend::groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                           const ExpertOffsets& offsets) {
    const Kernels& kernels = start();
    withElements(dy.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets.host, weight.size(2), weight.size(1)};
        products.backwardData(dx.data<T>(), dy.data<T>(), weight.data<T>());
    });
}

void CpuBackend::groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                             const Tensor& x, const ExpertOffsets& offsets) {
    const Kernels& kernels = start();
    float* dBiasFloats = dBias.defined() ? dBias.data<float>() : nullptr;
    withElements(x.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets.host, x.size(1), dy.size(1)};
        products.backwardWeight(dWeight.data<float>(), dBiasFloats, dy.data<T>(), x.data<T>());
    });
}

void CpuBackend::groupedLinearActivationForward(Out y, Out before, const Tensor& x,
                                                const Tensor& weight, const Tensor& bias,
                                                const ExpertOffsets& offsets, Activation kind) {
    const Kernels& kernels = start();
    withElements(x.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets.host, weight.size(2), weight.size(1)};
        products.forward(y.data<T>(), before.data<T>(), x.data<T>(), weight.data<T>(),
                         floatsOrNull(bias), kind);
    });
}

void CpuBackend::groupedLinearActivationBackwardData(Out dBefore, const Tensor& dy,
                                                     const Tensor& weight, const Tensor& before,
                                                     const ExpertOffsets& offsets,
                                                     Activation kind) {
    const Kernels& kernels = start();
    withElements(dy.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets.host, weight.size(2), weight.size(1)};
        products.backwardData(dBefore.data<T>(), dy.data<T>(), weight.data<T>(), before.data<T>(),
                              kind);
    });
}

}  // namespace core::cpu
