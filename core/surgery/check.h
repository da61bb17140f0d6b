// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

#include <memory>
#include <string>
#include <vector>

namespace core {

struct BlockCheck {
    std::string block;
    double relativeError = 0;  ///< max |moe - dense| / max |dense| of the MLP's output, both fed
                               ///< the dense model's input; padding left out
    double unrouted = 0;
    double dropped = 0;
    double combineSum = 0;
};

/// The step-0 report: does the upcycled model still compute the dense function?
struct CheckReport {
    bool holds = false;  ///< logits agree within 1e-4, computed in bf16 within 3e-2
    double logitsRelativeError = 0;
    std::vector<BlockCheck> blocks;
    std::vector<std::string> causes;  ///< which setting causes a difference, in words
};

/// Runs both models on the same batch; a T5's padding does not count. BadInput when their shapes
/// differ in more than MoE blocks.
CheckReport checkUpcycled(Model& dense, Model& upcycled, const Batch& batch);

}  // namespace core
