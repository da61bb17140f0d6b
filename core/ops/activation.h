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

/// y = f(x) * gate, the inside of a gated MLP; y may not be x or gate (backward needs both).
void gatedActivationForward(Backend& backend, Out y, const Tensor& x, const Tensor& gate,
                            Activation kind);

/// dx = dy * gate * f'(x), dGate = dy * f(x); dx may be dy.
void gatedActivationBackward(Backend& backend, Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                             const Tensor& gate, Activation kind);

}  // namespace core::ops
