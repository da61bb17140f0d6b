// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/layer.h"
#include "core/model/parameter.h"

namespace core {

/// y = x / sqrt(mean(x^2) + epsilon) * gamma over the last axis of x [m, d] (T5LayerNorm).
class RmsNorm {
  public:
    RmsNorm(const Parameter& gamma, float epsilon) : gamma_(&gamma), epsilon_(epsilon) {}

    struct Saved {
        Tensor x;     ///< [m, d], not copied
        Tensor rstd;  ///< [m]
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x) const;
    /// dx may be dy.
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const;

  private:
    const Parameter* gamma_;
    float epsilon_;
};

}  // namespace core
