// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/linear.h"

namespace core {

/// The dense MLP: y = W2 f(W1 x + b1) + b2.
class Mlp {
  public:
    Mlp(const Linear& up, const Linear& down, Activation activation);

    struct Saved {
        Tensor x;       ///< [m, d], not copied
        Tensor before;  ///< [m, inner], before the activation
        Tensor after;   ///< [m, inner]
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x) const;
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const;

  private:
    Linear up_, down_;
    Activation activation_;
};

}  // namespace core
