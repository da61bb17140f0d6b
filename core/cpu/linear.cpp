// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/products_internal.h"

#include <array>

namespace core::cpu {
namespace {

using Offsets = std::array<std::int64_t, 2>;

const float* floatsOrNull(const Tensor& t) { return t.defined() ? t.data<float>() : nullptr; }

}  // namespace

void CpuBackend::linearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Kernels& kernels = start();
    const Offsets offsets{0, x.size(0)};
    withElements(x.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets, weight.size(1), weight.size(0)};
        products.forward(y.data<T>(), x.data<T>(), weight.data<T>(), floatsOrNull(bias));
    });
}

void CpuBackend::linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) {
    const Kernels& kernels = start();
    const Offsets offsets{0, dy.size(0)};
    withElements(dy.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets, weight.size(1), weight.size(0)};
        products.backwardData(dx.data<T>(), dy.data<T>(), weight.data<T>());
    });
}

void CpuBackend::linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                      const Tensor& x) {
    const Kernels& kernels = start();
    const Offsets offsets{0, x.size(0)};
    float* dBiasFloats = dBias.defined() ? dBias.data<float>() : nullptr;
    withElements(x.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets, x.size(1), dy.size(1)};
        products.backwardWeight(dWeight.data<float>(), dBiasFloats, dy.data<T>(), x.data<T>());
    });
}

void CpuBackend::linearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                         const Tensor& bias, Activation kind) {
    const Kernels& kernels = start();
    const Offsets offsets{0, x.size(0)};
    withElements(x.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets, weight.size(1), weight.size(0)};
        products.forward(y.data<T>(), before.data<T>(), x.data<T>(), weight.data<T>(),
                         floatsOrNull(bias), kind);
    });
}

void CpuBackend::linearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                              const Tensor& before, Activation kind) {
    const Kernels& kernels = start();
    const Offsets offsets{0, dy.size(0)};
    withElements(dy.dtype(), [&]<typename T>() {
        const LinearProducts<T> products{kernels, offsets, weight.size(1), weight.size(0)};
        products.backwardData(dBefore.data<T>(), dy.data<T>(), weight.data<T>(), before.data<T>(),
                              kind);
    });
}

}  // namespace core::cpu
