// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

namespace core::ops {

/// y = x * rstd * gamma over the last axis (T5LayerNorm: no mean, no bias); x, y [m, d]; gamma [d];
/// rstd [m] = 1 / sqrt(mean(x^2) + epsilon) is saved.
void rmsNormForward(Backend& backend, Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                    float epsilon);

/// dx overwritten (may be dy), dGamma accumulated.
void rmsNormBackward(Backend& backend, Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                     const Tensor& rstd, const Tensor& gamma);

}  // namespace core::ops
