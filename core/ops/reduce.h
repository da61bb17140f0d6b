// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// total (F64 [1]) = sum of all elements, accumulated in double in a fixed order.
void sum(Backend& backend, Out total, const Tensor& x);

/// Sum of squares over all tensors; not finite when an element is not.
double sumOfSquares(Backend& backend, std::span<const Tensor> xs);

}  // namespace core::ops
