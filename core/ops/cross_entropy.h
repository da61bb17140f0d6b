// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>

namespace core::ops {

/// Per row: loss [m] = logSumExp - (1-s) * logit[label] - s * mean(logits), label smoothing s as in
/// torch; logSumExp [m] is saved. labels I64 [m]; -100 is ignored: loss 0, gradient 0. Other labels
/// must be in [0, classes).
void softmaxCrossEntropyForward(Backend& backend, Out loss, Out logSumExp, const Tensor& logits,
                                const Tensor& labels, float labelSmoothing);

/// dLogits [m, classes] = dLoss * d loss / d logits (dLoss is one factor for all rows: 1 / counted
/// rows for a mean). With z the loss that is differentiated has z * logSumExp^2 besides in every
/// counted row (T5X's z-loss of the logits; the forward's loss is without it).
void softmaxCrossEntropyBackward(Backend& backend, Out dLogits, const Tensor& logits,
                                 const Tensor& logSumExp, const Tensor& labels,
                                 float labelSmoothing, float dLoss, float z = 0.0F);

/// Per row the sum over classes of binary cross-entropy with logits against one-hot targets;
/// smoothing s turns targets into (1-s) * target + s / classes. -100 is ignored.
void sigmoidCrossEntropyForward(Backend& backend, Out loss, const Tensor& logits,
                                const Tensor& labels, float labelSmoothing);
void sigmoidCrossEntropyBackward(Backend& backend, Out dLogits, const Tensor& logits,
                                 const Tensor& labels, float labelSmoothing, float dLoss);

}  // namespace core::ops
