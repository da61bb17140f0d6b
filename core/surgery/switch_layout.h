// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/report.h"

#include <string>
#include <vector>

namespace core {

/// A T5 with MoE blocks as transformers' SwitchTransformersForConditionalGeneration loads it.
struct SwitchLayout {
    std::vector<TensorRecipe> recipes;  ///< outputs under SwitchTransformers' names
    std::string configText;
    std::vector<std::string> notes;  ///< what could not be said exactly, and what was left out
};

/// `spec` is the model that the recipes make, `configText` its config.json (may be empty). That
/// class routes by the softmax's largest probability alone, without renormalising, drops per
/// sequence beyond a fixed number of tokens, and puts its sparse blocks at index % step == 1
/// (every one for step 1): a model that is not so is refused, naming the block and the setting. A
/// capacity factor is fixed for sequences of n_positions (512) tokens, which is noted.
SwitchLayout toSwitchLayout(const ModelSpec& spec, std::vector<TensorRecipe> recipes,
                            const std::string& configText);

}  // namespace core
