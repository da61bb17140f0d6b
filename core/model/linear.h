// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/layer.h"
#include "core/model/parameter.h"

namespace core {

/// y [m, out] = x [m, in] weight^T + bias; weight [out, in] (a convolution's [out, c, p, p] is
/// taken as [out, c * p * p]). x and y are F32 or BF16. The parameters must outlive the layer.
/// Backward needs x alone.
class Linear {
  public:
    explicit Linear(const Parameter& weight, const Parameter* bias = nullptr);

    std::int64_t outputs() const { return weight_->shape[0]; }
    void forward(const Pass& pass, Out y, const Tensor& x) const;
    void backward(const Pass& pass, Out dx, const Tensor& x, const Tensor& dy) const;
    /// before = what forward gives, y = f(before).
    void forward(const Pass& pass, Out y, Out before, const Tensor& x, Activation kind) const;
    /// Where x = f(before): the parameters' gradients, and dBefore in place of dx.
    void backward(const Pass& pass, Out dBefore, const Tensor& x, const Tensor& dy,
                  const Tensor& before, Activation kind) const;
    /// Only the parameters' gradients, where the input needs none.
    void backwardWeight(const Pass& pass, const Tensor& x, const Tensor& dy) const;

  private:
    /// The weight as [out, in], for products with tensors of this type.
    Tensor matrix(DType dtype) const;
    Tensor bias() const;
    const Parameter* weight_;
    const Parameter* bias_;
};

}  // namespace core
