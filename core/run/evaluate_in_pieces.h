// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/training/evaluation.h"

#include <functional>
#include <optional>

namespace core {

/// `evaluate`, to the last bit whatever the machine's speed; about every third of a second `goOn`
/// is told the examples done and asked between two batches: false drops the result.
std::optional<EvalResult> evaluateInPieces(Model& model, BatchSource& batches, const LossSpec& loss,
                                           const std::function<bool(std::int64_t done)>& goOn);

}  // namespace core
