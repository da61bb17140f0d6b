// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// y = (x - mean) * rstd * gamma + beta over the last axis; x, y [m, d]; gamma, beta [d]; mean,
/// rstd [m] are saved; rstd = 1 / sqrt(var + epsilon), population variance.
void layerNormForward(Backend& backend, Out y, Out mean, Out rstd, const Tensor& x,
                      const Tensor& gamma, const Tensor& beta, float epsilon);

/// dx overwritten (may be dy), dGamma and dBeta accumulated.
void layerNormBackward(Backend& backend, Out dx, InOut dGamma, InOut dBeta, const Tensor& dy,
                       const Tensor& x, const Tensor& mean, const Tensor& rstd,
                       const Tensor& gamma);

}  // namespace core::ops
