// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

namespace core::ops {

/// y [m, d] = rows `ids` of table [V, d], which is F32 or of y's type; ids I64 [m], each in [0, V).
void embeddingForward(Backend& backend, Out y, const Tensor& ids, const Tensor& table);

/// Row ids[i] of dTable [V, d] += row i of dy [m, d]; a repeated id's rows are added in the order
/// of i.
void embeddingBackward(Backend& backend, InOut dTable, const Tensor& dy, const Tensor& ids);

}  // namespace core::ops
