// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// Every element of y (F32, BF16 or I32) = value.
void fill(Backend& backend, Out y, float value);

/// y = x, same shape, same device; the same dtype, or F32 to BF16 (rounded to nearest, ties to
/// even; NaN stays NaN) and back.
void copy(Backend& backend, Out y, const Tensor& x);

/// A copy on the device; none of an undefined tensor.
Tensor toDevice(Backend& backend, const Tensor& host);

/// What the host can read: the tensor itself where it lies on the host (it changes with it), else a
/// copy; none of an undefined tensor.
Tensor readable(Backend& backend, const Tensor& tensor);

/// The number in an F64 [1]: waits for it.
double hostNumber(Backend& backend, const Tensor& scalar);

/// A copy on the host in F32, of F32 or BF16.
Tensor hostFloats(Backend& backend, const Tensor& tensor);

}  // namespace core::ops
