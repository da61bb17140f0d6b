// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// y = f(x) elementwise, any shape; y may not be x (backward needs x).
void activationForward(Backend& backend, Out y, const Tensor& x, Activation kind);

/// dx = dy * f'(x); dx may be dy.
void activationBackward(Backend& backend, Out dx, const Tensor& dy, const Tensor& x,
                        Activation kind);

}  // namespace core::ops
