// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// o = softmax(scale * q k^T) v per batch and head; logSumExp [batch, heads, queries] is saved, S x
/// S is not.
void attentionForward(Backend& backend, Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                      const Tensor& v, const AttentionShape& shape);

/// dq, dk, dv overwritten; o is the forward's result.
void attentionBackward(Backend& backend, Out dq, Out dk, Out dv, const Tensor& dOut,
                       const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& o,
                       const Tensor& logSumExp, const AttentionShape& shape);

}  // namespace core::ops
