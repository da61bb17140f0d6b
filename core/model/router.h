// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/linear.h"
#include "core/model/spec.h"

namespace core {

/// The router's result for one MoE layer over n tokens.
struct Routing {
    Tensor logits;         ///< F32 [n, E]
    Tensor probabilities;  ///< F32 [n, E], full softmax
    Tensor weights;        ///< F32 [slots], combine weights
    Tensor sums;           ///< F32 [n], their denominators
    RoutingGroups groups;
    Assignment assignment;
    Tensor auxLoss;  ///< F64 [1], balance loss (Top-K; undefined for Expert Choice)
    Tensor zLoss;    ///< F64 [1]
};

/// The token rows of one forward: sequences of equal length, one after the other.
struct TokenRows {
    std::int64_t sequences = 0;
    Tensor mask{};      ///< U8 [n], 1 = real token; undefined = all real
    Tensor hostMask{};  ///< the same on the host, where it is there
    /// Top-K without capacity, as in generation: what a token gets does not depend on what stands
    /// beside it in the batch, nor on how many tokens one forward sees.
    bool unlimited = false;
};

/// Rows [begin, end) of the routing groups of all `tokens` rows in order,
/// padding among them; the last group of a number of tokens may be smaller.
RoutingGroups routingGroups(const GroupSize& group, std::int64_t tokens, const TokenRows& rows);

/// In a causal decoder Top-K is placed in token order: with first choices of a group before second
/// ones, a later token's first choice could take the last slot before an earlier token's second.
TopKRule topKRule(const MoeSpec& moe, bool causal);

/// logits = x weight^T (no bias) -> softmax over experts -> Expert Choice or Top-K in every routing
/// group -> combine weights. The gradient reaches the weight through the combine weights (through
/// their sum too when renormalised) and through both losses, not through the choice. Padding
/// rows are never routed. Probabilities and weights outlive the pass: they are shown.
class Router {
  public:
    Router(const Linear& classifier, const MoeSpec& moe, bool causal = false);

    Routing forward(const Pass& pass, const Tensor& x, const TokenRows& rows) const;

    /// `dWeights` [slots]; dAux and dZ are the total loss' derivatives by auxLoss and zLoss.
    void backward(const Pass& pass, Out dx, const Routing& routing, const Tensor& x,
                  const Tensor& dWeights, float dAux, float dZ) const;

  private:
    bool softmaxOverChosen() const;
    Linear classifier_;
    MoeSpec moe_;
    bool causal_;
};

}  // namespace core
