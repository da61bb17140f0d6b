// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// y = a + b, same shapes; y may be a or b.
void add(Backend& backend, Out y, const Tensor& a, const Tensor& b);

/// y = a * b, same shapes; y may be a or b.
void multiply(Backend& backend, Out y, const Tensor& a, const Tensor& b);

/// y += factor * x.
void accumulate(Backend& backend, InOut y, const Tensor& x, float factor = 1.0F);

/// y *= factor.
void scale(Backend& backend, InOut y, float factor);

}  // namespace core::ops
