// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/gate.h"
#include "core/model/linear.h"

#include <optional>

namespace core {

/// The dense MLP: y = W2 f(W1 x + b1) + b2, or gated y = W2 (f(W1 x) * (V x)); dropout before W2.
class Mlp {
  public:
    Mlp(const Linear& up, const Linear& down, Activation activation,
        const std::optional<Linear>& gate = std::nullopt);

    struct Saved {
        Tensor x;  ///< [m, d], not copied
        Gate::Saved inner;
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x, const Dropout& dropout = {}) const;
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const;

  private:
    Linear up_, down_;
    std::optional<Linear> gate_;
    Gate inner_;
};

}  // namespace core
