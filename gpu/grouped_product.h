// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"
#include "core/tensor/tensor.h"

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// One linear layer [E, out, in] for every range of rows [offsets[e], offsets[e + 1]), of any
/// lengths: one launch for all of them, whose size follows from the number of rows and of experts,
/// not from the offsets. The same arguments give the same bits.
class GroupedProducts {
  public:
    using Tensor = core::Tensor;
    using Activation = core::Activation;

    /// The offsets [E + 1] lie on the device.
    GroupedProducts(cudaStream_t stream, const std::int64_t* offsets)
        : stream_(stream), offsets_(offsets) {}

    /// y = x weight^T + bias; the bias is F32 [E, out], or undefined.
    void forward(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& bias) const;

    /// before = x weight^T + bias, y = f(before).
    void forward(const Tensor& y, const Tensor& before, const Tensor& x, const Tensor& weight,
                 const Tensor& bias, Activation kind) const;

    /// dx = dy weight
    void backwardData(const Tensor& dx, const Tensor& dy, const Tensor& weight) const;

    /// dBefore = (dy weight) * f'(before)
    void backwardData(const Tensor& dBefore, const Tensor& dy, const Tensor& weight,
                      const Tensor& before, Activation kind) const;

    /// dWeight[e] += dy_e^T x_e, dBias[e] += column sums of dy_e (dBias may be undefined); experts
    /// without rows leave theirs alone.
    void backwardWeight(const Tensor& dWeight, const Tensor& dBias, const Tensor& dy,
                        const Tensor& x) const;

  private:
    cudaStream_t stream_;
    const std::int64_t* offsets_;
};

}  // namespace gpu
