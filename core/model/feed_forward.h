// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/mlp.h"
#include "core/model/moe_mlp.h"

#include <variant>

namespace core {

/// The MLP of a block, dense or a Mixture of Experts.
class FeedForward {
  public:
    explicit FeedForward(const Mlp& mlp) : mlp_(mlp) {}
    explicit FeedForward(const MoeMlp& mlp) : mlp_(mlp) {}

    struct Saved {
        std::variant<Mlp::Saved, MoeMlp::Saved> mlp;
        const Routing* routing() const;  ///< nullptr when dense
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x, const TokenRows& rows,
                  const Dropout& dropout = {}) const;
    /// dAux and dZ as in MoeMlp.
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy, float dAux,
                  float dZ) const;

  private:
    std::variant<Mlp, MoeMlp> mlp_;
};

/// What a forward is asked about a block's MLP output, before the residual sum.
struct MlpOutput {
    Tensor kept;        ///< when defined: receives it, [n, d]
    Tensor substitute;  ///< when defined: takes its place in the residual sum, [n, d]
};

}  // namespace core
