// SPDX-License-Identifier: Apache-2.0
#include "core/model/layer_norm.h"

#include "core/ops/layer_norm.h"

namespace core {

LayerNorm::LayerNorm(const Parameter& gamma, const Parameter& beta, float epsilon)
    : gamma_(&gamma), beta_(&beta), epsilon_(epsilon) {}

LayerNorm::Saved LayerNorm::forward(const Pass& pass, Out y, const Tensor& x) const {
    Saved saved{x, pass.f32({x.size(0)}), pass.f32({x.size(0)})};
    ops::layerNormForward(pass.backend, y, saved.mean, saved.rstd, x, gamma_->value, beta_->value,
                          epsilon_);
    return saved;
}

void LayerNorm::backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const {
    ops::layerNormBackward(pass.backend, dx, gamma_->gradient, beta_->gradient, dy, saved.x,
                           saved.mean, saved.rstd, gamma_->value);
}

}  // namespace core
