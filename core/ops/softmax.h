// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// y = softmax(x) over the last axis of [m, E], f32, shifted by the row maximum.
void softmaxForward(Backend& backend, Out y, const Tensor& x);

/// dx = y * (dy - sum(dy * y)); dx may be dy.
void softmaxBackward(Backend& backend, Out dx, const Tensor& dy, const Tensor& y);

}  // namespace core::ops
