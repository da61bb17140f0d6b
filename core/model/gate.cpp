// SPDX-License-Identifier: Apache-2.0
#include "core/model/gate.h"

#include "core/ops/activation.h"

namespace core {

Gate::Saved Gate::saved(const Pass& pass, const Shape& inner, bool gated,
                        const Dropout& dropout) const {
    Saved s;
    s.before = pass.tensor(inner);
    if (gated) s.gate = pass.tensor(inner);
    s.after = activation == Activation::Relu && !gated ? s.before : pass.tensor(inner);
    s.dropout = dropout;
    return s;
}

void Gate::forward(const Pass& pass, const Saved& s) const {
    ops::gatedActivationForward(pass.backend, s.after, s.before, s.gate, activation);
    s.dropout.apply(pass, s.after);
}

void Gate::backward(const Pass& pass, InOut d, Out dGate, const Saved& s) const {
    s.dropout.apply(pass, d);
    if (s.gate.defined())
        ops::gatedActivationBackward(pass.backend, d, dGate, d, s.before, s.gate, activation);
    else
        ops::activationBackward(pass.backend, d, d, s.before, activation);
}

}  // namespace core
