// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/feed_forward.h"
#include "core/model/layer_norm.h"
#include "core/model/self_attention.h"

#include <string>

namespace core {

/// One pre-norm Transformer block: m = x + attention(norm(x)); y = m + mlp(norm(m)), the MLP dense
/// or a Mixture of Experts.
class VitBlock {
  public:
    VitBlock(std::string name, const LayerNorm& before, const SelfAttention& attention,
             const LayerNorm& after, const FeedForward& mlp);

    struct Saved {
        LayerNorm::Saved before;
        SelfAttention::Saved attention;
        LayerNorm::Saved after;
        FeedForward::Saved mlp;
        const Routing* routing() const { return mlp.routing(); }  ///< nullptr when dense
    };
    const std::string& name() const noexcept { return name_; }
    Saved forward(const Pass& pass, Out y, const Tensor& x, std::int64_t sequences,
                  const MlpOutput& output) const;
    /// The input's gradient takes the place of `dy`; dAux and dZ as in MoeMlp.
    void backwardInPlace(const Pass& pass, const Saved& saved, InOut dy, float dAux,
                         float dZ) const;

  private:
    std::string name_;
    LayerNorm before_;
    SelfAttention attention_;
    LayerNorm after_;
    FeedForward mlp_;
};

}  // namespace core
