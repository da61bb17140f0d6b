// SPDX-License-Identifier: Apache-2.0
#include "core/model/mlp.h"

#include "core/ops/activation.h"

namespace core {

Mlp::Mlp(const Linear& up, const Linear& down, Activation activation)
    : up_(up), down_(down), activation_(activation) {}

Mlp::Saved Mlp::forward(const Pass& pass, Out y, const Tensor& x) const {
    const Intermediates intermediates(pass);
    const Shape inner{x.size(0), up_.outputs()};
    Saved s{x, pass.tensor(inner), pass.tensor(inner)};
    up_.forward(pass, s.before, x);
    ops::activationForward(pass.backend, s.after, s.before, activation_);
    down_.forward(pass, y, s.after);
    return s;
}

void Mlp::backward(const Pass& pass, Out dx, const Saved& s, const Tensor& dy) const {
    const Workspace::Scope scope(pass.workspace);
    const Tensor dInner = pass.tensor(s.before.shape());
    down_.backward(pass, dInner, s.after, dy);
    ops::activationBackward(pass.backend, dInner, dInner, s.before, activation_);
    up_.backward(pass, dx, s.x, dInner);
}

}  // namespace core
