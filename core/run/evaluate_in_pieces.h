// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/training/evaluation.h"

#include <functional>
#include <memory>
#include <optional>

namespace core {

/// `evaluate` over the dataset in pieces of whole batches (the same batches as in one go), each
/// about a third of a second; `goOn` is told the examples done and asked in between, false drops
/// the result. Router statistics are means over the pieces, weighted by their examples.
std::optional<EvalResult> evaluateInPieces(Model& model,
                                           const std::shared_ptr<const ImageDataset>& dataset,
                                           const LoaderOptions& options, const LossSpec& loss,
                                           const std::function<bool(std::int64_t done)>& goOn);

}  // namespace core
