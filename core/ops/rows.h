// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// y [B, D] = x[:, 0, :] of x [B, S, D] (the cls token).
void firstRowsForward(Backend& backend, Out y, const Tensor& x);

/// dx [B, S, D] = dy in row 0 of each batch entry, zero elsewhere.
void firstRowsBackward(Backend& backend, Out dx, const Tensor& dy);

}  // namespace core::ops
