// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"

#include <array>

namespace gpu {

// One layer is a group of one expert (grouped_linear.cu).

void CudaBackend::linearForward(Out y, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const std::array<std::int64_t, 2> offsets{0, x.size(0)};
    groupedLinearForward(y, x, weight.view({1, weight.size(0), weight.size(1)}), bias, offsets);
}

void CudaBackend::linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) {
    const std::array<std::int64_t, 2> offsets{0, dy.size(0)};
    groupedLinearBackwardData(dx, dy, weight.view({1, weight.size(0), weight.size(1)}), offsets);
}

void CudaBackend::linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                       const Tensor& x) {
    const std::array<std::int64_t, 2> offsets{0, x.size(0)};
    groupedLinearBackwardWeight(dWeight, dBias, dy, x, offsets);
}

void CudaBackend::linearActivationForward(Out y, Out before, const Tensor& x, const Tensor& weight,
                                          const Tensor& bias, Activation kind) {
    const std::array<std::int64_t, 2> offsets{0, x.size(0)};
    groupedLinearActivationForward(y, before, x, weight.view({1, weight.size(0), weight.size(1)}),
                                   bias, offsets, kind);
}

void CudaBackend::linearActivationBackwardData(Out dBefore, const Tensor& dy, const Tensor& weight,
                                               const Tensor& before, Activation kind) {
    const std::array<std::int64_t, 2> offsets{0, dy.size(0)};
    groupedLinearActivationBackwardData(
        dBefore, dy, weight.view({1, weight.size(0), weight.size(1)}), before, offsets, kind);
}

}  // namespace gpu
