// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// One fused pass; weight, m, v, gradient of one shape.
void adamwStep(Backend& backend, InOut weight, InOut m, InOut v, const Tensor& gradient,
               const AdamWArgs& args);

void sgdStep(Backend& backend, InOut weight, InOut momentum, const Tensor& gradient,
             const SgdArgs& args);

/// Unused moments are undefined tensors (AdafactorArgs says which are used).
void adafactorStep(Backend& backend, InOut weight, InOut rowMoment, InOut columnMoment,
                   InOut fullMoment, const Tensor& gradient, const AdafactorArgs& args);

}  // namespace core::ops
