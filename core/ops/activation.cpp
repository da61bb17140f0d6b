// SPDX-License-Identifier: Apache-2.0
#include "core/ops/activation.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void activationForward(Backend& backend, Out y, const Tensor& x, Activation kind) {
    requireF32("activationForward", "x", x);
    requireLike("activationForward", "y", y, x);
    require("activationForward", x.elements() == 0 || y.raw() != x.raw(),
            "y is x, which backward needs");
    backend.activationForward(y, x, kind);
}

void activationBackward(Backend& backend, Out dx, const Tensor& dy, const Tensor& x,
                        Activation kind) {
    requireF32("activationBackward", "x", x);
    requireLike("activationBackward", "dy", dy, x);
    requireLike("activationBackward", "dx", dx, x);
    backend.activationBackward(dx, dy, x, kind);
}

}  // namespace core::ops
