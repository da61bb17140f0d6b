// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

namespace core {

/// Throws BadInput in words unless a T5 can compute the batch: ids I64 [B, S] and [B, T] with B, S,
/// T >= 1 and each in [0, vocab), masks U8 of the same shapes, labels I64 [B, T] (each in [0,
/// vocab) or -100) or none.
void checkT5Batch(const T5Spec& t5, const Batch& batch, Backend& backend);

/// The same for what the encoder alone sees.
void checkT5Inputs(const T5Spec& t5, const Batch& batch, Backend& backend);

/// Throws BadInput unless the numbers of a T5 can be computed: blocks in both stacks, enough
/// relative position buckets for the distances.
void requireComputable(const T5Spec& t5);

}  // namespace core
