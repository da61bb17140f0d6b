// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// total (F64 [1]) = sum of all elements, accumulated in double in a fixed order.
void sum(Backend& backend, Out total, const Tensor& x);

/// total (F64 [1]) = sum of squares over all tensors; not finite when an element is not.
void sumOfSquares(Backend& backend, Out total, std::span<const Tensor> xs);

}  // namespace core::ops
