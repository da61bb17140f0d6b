// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/ops/backend.h"

namespace core::ops {

/// y = f(x) elementwise, any shape; y may not be x (backward needs x).
void activationForward(Backend& backend, Out y, const Tensor& x, Activation kind);

/// dx = dy * f'(x); dx may be dy.
void activationBackward(Backend& backend, Out dx, const Tensor& dy, const Tensor& x, Activation kind);

}  // namespace core::ops
