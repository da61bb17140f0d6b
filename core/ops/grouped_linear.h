// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// One linear layer per expert: rows [offsets[e], offsets[e+1]) of x [slots, in] meet weight[e] of
/// [E, out, in] and bias[e] of [E, out] (or undefined) -> the same rows of y [slots, out]. A group
/// may be empty.
void groupedLinearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                          const Tensor& bias, std::span<const std::int64_t> offsets);

/// dx rows of group e = dy rows * weight[e].
void groupedLinearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight,
                               std::span<const std::int64_t> offsets);

/// dWeight[e] += dy_e^T x_e; dBias[e] += column sums of dy_e (may be undefined).
void groupedLinearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                                 const Tensor& x, std::span<const std::int64_t> offsets);

/// linearActivationForward for every expert.
void groupedLinearActivationForward(Backend& backend, Out y, Out before, const Tensor& x,
                                    const Tensor& weight, const Tensor& bias,
                                    std::span<const std::int64_t> offsets, Activation kind);

/// linearActivationBackwardData for every expert.
void groupedLinearActivationBackwardData(Backend& backend, Out dBefore, const Tensor& dy,
                                         const Tensor& weight, const Tensor& before,
                                         std::span<const std::int64_t> offsets, Activation kind);

}  // namespace core::ops
