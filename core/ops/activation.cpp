// SPDX-License-Identifier: Apache-2.0
#include "core/ops/activation.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void activationForward(Backend& backend, Out y, const Tensor& x, Activation kind) {
    requireReal("activationForward", "x", x);
    requireLike("activationForward", "y", y, x);
    require("activationForward", x.elements() == 0 || y.raw() != x.raw(),
            "y is x, which backward needs");
    backend.activationForward(y, x, kind);
}

void activationBackward(Backend& backend, Out dx, const Tensor& dy, const Tensor& x,
                        Activation kind) {
    requireReal("activationBackward", "x", x);
    requireLike("activationBackward", "dy", dy, x);
    requireLike("activationBackward", "dx", dx, x);
    backend.activationBackward(dx, dy, x, kind);
}

void gatedActivationForward(Backend& backend, Out y, const Tensor& x, const Tensor& gate,
                            Activation kind) {
    constexpr const char* kOp = "gatedActivationForward";
    requireReal(kOp, "x", x);
    requireLike(kOp, "gate", gate, x);
    requireLike(kOp, "y", y, x);
    require(kOp, x.elements() == 0 || (y.raw() != x.raw() && y.raw() != gate.raw()),
            "y is x or gate, which backward needs");
    backend.gatedActivationForward(y, x, gate, kind);
}

void gatedActivationBackward(Backend& backend, Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                             const Tensor& gate, Activation kind) {
    constexpr const char* kOp = "gatedActivationBackward";
    requireReal(kOp, "x", x);
    requireLike(kOp, "gate", gate, x);
    requireLike(kOp, "dy", dy, x);
    requireLike(kOp, "dx", dx, x);
    requireLike(kOp, "dGate", dGate, x);
    require(kOp, x.elements() == 0 || (dGate.raw() != dy.raw() && dGate.raw() != dx.raw()),
            "dGate is dy or dx");
    backend.gatedActivationBackward(dx, dGate, dy, x, gate, kind);
}

}  // namespace core::ops
