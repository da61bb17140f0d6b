// SPDX-License-Identifier: Apache-2.0
#include "core/model/gate.h"

#include "core/ops/activation.h"
#include "core/ops/elementwise.h"

namespace core {

void Gate::forward(const Pass& pass, const Saved& s) const {
    ops::activationForward(pass.backend, s.after, s.before, activation);
    if (s.gate.defined()) ops::multiply(pass.backend, s.after, s.after, s.gate);
    s.dropout.apply(pass, s.after);
}

void Gate::backward(const Pass& pass, InOut d, Out dGate, const Saved& s) const {
    s.dropout.apply(pass, d);
    if (s.gate.defined()) {
        ops::activationForward(pass.backend, dGate, s.before, activation);
        ops::multiply(pass.backend, dGate, dGate, d);
        ops::multiply(pass.backend, d, d, s.gate);
    }
    ops::activationBackward(pass.backend, d, d, s.before, activation);
}

}  // namespace core
