// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// What a step multiplies its gradients by, F32 [1] on the device: 1, or clip / norm where clip > 0
/// and the norm is above it; not finite where the norm or one of the losses (F64 [n]) is not.
/// `squares` (F64 [1]) is the square of the gradients' norm.
void stepScale(Backend& backend, Out scale, const Tensor& squares, const Tensor& losses,
               double clip);

// The steps multiply the gradient by `scale` (F32 [1] on the device) first. Where that is not
// finite they leave everything as it is, so that nobody has to wait for the norm.

/// One fused pass; weight, m, v, gradient of one shape.
void adamwStep(Backend& backend, InOut weight, InOut m, InOut v, const Tensor& gradient,
               const Tensor& scale, const AdamWArgs& args);

void sgdStep(Backend& backend, InOut weight, InOut momentum, const Tensor& gradient,
             const Tensor& scale, const SgdArgs& args);

/// Unused moments are undefined tensors (AdafactorArgs says which are used).
void adafactorStep(Backend& backend, InOut weight, InOut rowMoment, InOut columnMoment,
                   InOut fullMoment, const Tensor& gradient, const Tensor& scale,
                   const AdafactorArgs& args);

}  // namespace core::ops
