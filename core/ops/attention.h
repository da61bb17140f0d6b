// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

namespace core::ops {

/// o = softmax(scale * q k^T + bias) v per batch and head, over the keys that a query sees (see
/// AttentionOptions), with dropout between softmax and v; logSumExp [batch, heads, queries] is
/// saved, S x S is not. A query that sees no key: o = 0, logSumExp = 0.
void attentionForward(Backend& backend, Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                      const Tensor& v, const AttentionShape& shape,
                      const AttentionOptions& options = {});

/// dq, dk, dv overwritten (no keyStride here: a cache has no gradient); dBias [heads, queries,
/// keys] accumulated over the batch, undefined when it is not wanted; o is the forward's result.
void attentionBackward(Backend& backend, Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                       const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& o,
                       const Tensor& logSumExp, const AttentionShape& shape,
                       const AttentionOptions& options = {});

}  // namespace core::ops
