// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

namespace core::ops {

/// One linear layer per expert: rows [offsets[e], offsets[e+1]) of x [slots, in] meet weight[e] of
/// [E, out, in] and bias[e] of [E, out] (or undefined) -> the same rows of y [slots, out]. A group
/// may be empty.
void groupedLinearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                          const Tensor& bias, const ExpertOffsets& offsets);

/// dx rows of group e = dy rows * weight[e].
void groupedLinearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight,
                               const ExpertOffsets& offsets);

/// dWeight[e] += dy_e^T x_e; dBias[e] += column sums of dy_e (may be undefined).
void groupedLinearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                                 const Tensor& x, const ExpertOffsets& offsets);

/// linearActivationForward for every expert.
void groupedLinearActivationForward(Backend& backend, Out y, Out before, const Tensor& x,
                                    const Tensor& weight, const Tensor& bias,
                                    const ExpertOffsets& offsets, Activation kind);

/// linearActivationBackwardData for every expert.
void groupedLinearActivationBackwardData(Backend& backend, Out dBefore, const Tensor& dy,
                                         const Tensor& weight, const Tensor& before,
                                         const ExpertOffsets& offsets, Activation kind);

}  // namespace core::ops
