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

/// A linear layer and the nonlinearity behind it in one: before = x weight^T + bias, which backward
/// needs, and y = f(before); shapes as linearForward's. For ReLU y may be `before`, which then
/// holds y alone: f' is the same at both.
void linearActivationForward(Backend& backend, Out y, Out before, const Tensor& x,
                             const Tensor& weight, const Tensor& bias, Activation kind);

/// Back through a linear layer and the nonlinearity before it: dBefore [m, in] = (dy [m, out]
/// weight) * f'(before [m, in]). For ReLU `before` may be f(before).
void linearActivationBackwardData(Backend& backend, Out dBefore, const Tensor& dy,
                                  const Tensor& weight, const Tensor& before, Activation kind);

}  // namespace core::ops
