// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// y [m, out] = x [m, in] weight^T + bias; weight [out, in], bias [out] or undefined.
void linearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                   const Tensor& bias = {});

/// dx [m, in] = dy [m, out] weight.
void linearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight);

/// dWeight [out, in] += dy^T x; dBias [out] += column sums of dy (dBias may be undefined).
void linearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                          const Tensor& x);

}  // namespace core::ops
