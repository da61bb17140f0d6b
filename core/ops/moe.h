// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// slots [slots, d] = x[slotToken] of x [n, d].
void dispatchForward(Backend& backend, Out slots, const Tensor& x, const Assignment& assignment);

/// dx [n, d] = sum of dSlots over a token's slots, in slot order (deterministic); 0 for unrouted
/// tokens.
void dispatchBackward(Backend& backend, Out dx, const Tensor& dSlots, const Assignment& assignment);

/// y [n, d] = sum over a token's slots of weights[slot] * slots[slot]; 0 for unrouted tokens.
void combineForward(Backend& backend, Out y, const Tensor& slots, const Tensor& weights,
                    const Assignment& assignment);

/// dSlots = weights * dy[token]; dWeights [slots] = dot(slots row, dy[token]).
void combineBackward(Backend& backend, Out dSlots, Out dWeights, const Tensor& dy,
                     const Tensor& slots, const Tensor& weights, const Assignment& assignment);

}  // namespace core::ops
