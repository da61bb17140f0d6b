// SPDX-License-Identifier: Apache-2.0
#include "core/model/rms_norm.h"

#include "core/ops/rms_norm.h"

namespace core {

RmsNorm::Saved RmsNorm::forward(const Pass& pass, Out y, const Tensor& x) const {
    Saved saved{x, pass.f32({x.size(0)})};
    ops::rmsNormForward(pass.backend, y, saved.rstd, x, gamma_->value, epsilon_);
    return saved;
}

void RmsNorm::backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const {
    ops::rmsNormBackward(pass.backend, dx, gamma_->gradient, dy, saved.x, saved.rstd,
                         gamma_->value);
}

}  // namespace core
