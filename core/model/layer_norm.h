// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/layer.h"
#include "core/model/parameter.h"

namespace core {

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last axis of x [m, d].
class LayerNorm {
  public:
    LayerNorm(const Parameter& gamma, const Parameter& beta, float epsilon);

    struct Saved {
        Tensor x;     ///< [m, d], not copied
        Tensor mean;  ///< [m]
        Tensor rstd;  ///< [m]
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x) const;
    /// dx may be dy.
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const;

  private:
    const Parameter* gamma_;
    const Parameter* beta_;
    float epsilon_;
};

}  // namespace core
