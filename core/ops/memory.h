// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// Every element of y (F32 or I32) = value.
void fill(Backend& backend, Out y, float value);

/// y = x, same shape and dtype, same device.
void copy(Backend& backend, Out y, const Tensor& x);

}  // namespace core::ops
