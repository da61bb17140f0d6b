// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"
#include "core/tensor/tensor.h"
#include "gpu/blas.h"

#include <cuda_runtime.h>

#include <cstdint>

namespace gpu {

/// One linear layer for every expert with weights [E, out, in], where all experts have as many
/// rows: one batched product.
class LinearProducts {
  public:
    using Tensor = core::Tensor;

    /// `type` is that of the activations and weights.
    LinearProducts(cudaStream_t stream, Blas& blas, std::int64_t experts, std::int64_t rowsOfEach,
                   std::int64_t in, std::int64_t out, core::DType type)
        : stream_(stream),
          blas_(blas),
          experts_(experts),
          rows_(rowsOfEach),
          in_(in),
          out_(out),
          type_(type) {}

    /// y = x weight^T + bias. The bias is of the activations' type, or undefined.
    void forward(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& bias) const;

    /// y = ReLU of x weight^T + bias, when cuBLASLt does both in one; else does nothing and returns
    /// false.
    bool forwardRelu(const Tensor& y, const Tensor& x, const Tensor& weight,
                     const Tensor& bias) const;

    /// before = x weight^T + bias, y = tanh GELU of it, when cuBLASLt does both in one; else does
    /// nothing and returns false.
    bool forwardGeluTanh(const Tensor& y, const Tensor& before, const Tensor& x,
                         const Tensor& weight, const Tensor& bias) const;

    /// dx = dy weight
    void backwardData(const Tensor& dx, const Tensor& dy, const Tensor& weight) const;

    /// dBefore = (dy weight) * slope of the tanh GELU at `before`, when cuBLASLt does both in one;
    /// else does nothing and returns false.
    bool backwardGeluTanh(const Tensor& dBefore, const Tensor& dy, const Tensor& weight,
                          const Tensor& before) const;

    /// dWeight += dy^T x, dBias [E, out] += the sums over each expert's rows of dy (dBias may be
    /// null); nothing where there are no rows. `sums` are biasSums() floats on the device.
    void backwardWeight(const Tensor& dWeight, float* dBias, float* sums, const Tensor& dy,
                        const Tensor& x) const;
    std::size_t biasSums() const;

  private:
    std::int64_t sumRows(float* sums, const Tensor& dy) const;
    bool fused(const ProductArgs& args) const;
    ProductArgs forwardArgs(const Tensor& y, const Tensor& x, const Tensor& weight,
                            const Tensor& bias) const;
    ProductArgs backwardArgs(const Tensor& dx, const Tensor& dy, const Tensor& weight) const;

    cudaStream_t stream_;
    Blas& blas_;
    std::int64_t experts_;
    std::int64_t rows_;
    std::int64_t in_;
    std::int64_t out_;
    core::DType type_;
};

}  // namespace gpu
