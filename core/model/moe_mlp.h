// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/gate.h"
#include "core/model/router.h"

namespace core {

/// The Mixture-of-Experts MLP: y = sum over a token's experts e of
/// combineWeight_e * (W2_e f(W1_e x + b1_e) + b2_e), or gated as in Mlp; 0 for a token with no
/// expert.
class MoeMlp {
  public:
    /// Parameters of all experts side by side.
    struct Experts {
        const Parameter* upWeight = nullptr;    ///< [E, inner, d]
        const Parameter* upBias = nullptr;      ///< [E, inner], or none
        const Parameter* downWeight = nullptr;  ///< [E, d, inner]
        const Parameter* downBias = nullptr;    ///< [E, d], or none
        const Parameter* gateWeight = nullptr;  ///< [E, inner, d], or none
    };
    MoeMlp(const Router& router, const Experts& experts, Activation activation);

    struct Saved {
        Tensor x;  ///< [n, d], not copied
        Routing routing;
        Gate::Saved inner;   ///< of the slots
        Tensor slotOutputs;  ///< [slots, d]
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x, const TokenRows& rows,
                  const Dropout& dropout = {}) const;
    /// dAux, dZ: the total loss' derivatives by this layer's losses.
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy, float dAux,
                  float dZ) const;

  private:
    Router router_;
    Experts experts_;
    Gate inner_;
};

}  // namespace core
