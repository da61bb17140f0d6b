// SPDX-License-Identifier: Apache-2.0
#include "core/model/mlp.h"

#include "core/ops/elementwise.h"

namespace core {

Mlp::Mlp(const Linear& up, const Linear& down, Activation activation,
         const std::optional<Linear>& gate)
    : up_(up), down_(down), gate_(gate), inner_{activation} {}

Mlp::Saved Mlp::forward(const Pass& pass, Out y, const Tensor& x, const Dropout& dropout) const {
    const Intermediates intermediates(pass);
    const Saved s{x, inner_.saved(pass, {x.size(0), up_.outputs()}, gate_.has_value(), dropout)};
    if (gate_) {
        up_.forward(pass, s.inner.before, x);
        gate_->forward(pass, s.inner.gate, x);
        inner_.forward(pass, s.inner);
    } else {
        up_.forward(pass, s.inner.after, s.inner.before, x, inner_.activation);
        dropout.apply(pass, s.inner.after);
    }
    down_.forward(pass, y, s.inner.after);
    return s;
}

void Mlp::backward(const Pass& pass, Out dx, const Saved& s, const Tensor& dy) const {
    const Workspace::Scope scope(pass.workspace);
    const Tensor dInner = pass.tensor(s.inner.before.shape());
    const Tensor dGate = gate_ ? pass.tensor(dInner.shape()) : Tensor();
    if (Gate::isPlain(s.inner)) {
        down_.backward(pass, dInner, s.inner.after, dy, s.inner.before, inner_.activation);
    } else {
        down_.backward(pass, dInner, s.inner.after, dy);
        inner_.backward(pass, dInner, dGate, s.inner);
    }
    up_.backward(pass, dx, s.x, dInner);
    if (!gate_) return;
    const Tensor throughGate = pass.tensor(dx.shape());
    gate_->backward(pass, throughGate, s.x, dGate);
    ops::accumulate(pass.backend, dx, throughGate);
}

}  // namespace core
