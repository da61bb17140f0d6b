// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/layer.h"
#include "core/model/parameter.h"

namespace core {

/// y [m, out] = x [m, in] weight^T + bias; weight [out, in] (a convolution's [out, c, p, p] is
/// taken as [out, c * p * p]). The parameters must outlive the layer. Backward needs x alone.
class Linear {
  public:
    explicit Linear(const Parameter& weight, const Parameter* bias = nullptr);

    std::int64_t outputs() const { return weight_->shape[0]; }
    void forward(const Pass& pass, Out y, const Tensor& x) const;
    void backward(const Pass& pass, Out dx, const Tensor& x, const Tensor& dy) const;
    /// Only the parameters' gradients, where the input needs none.
    void backwardWeight(const Pass& pass, const Tensor& x, const Tensor& dy) const;

  private:
    Shape matrix() const;
    const Parameter* weight_;
    const Parameter* bias_;
};

}  // namespace core
