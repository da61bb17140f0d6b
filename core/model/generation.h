// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace core {

struct GenerationOptions {
    std::int64_t maxTokens = 128;  ///< most tokens of a target, its end among them
    std::int64_t beams = 1;        ///< 1 = greedy: always the first of the most probable tokens
    /// A finished beam's score is its log probability / length^lengthPenalty.
    double lengthPenalty = 1.0;
};

/// A target as a model continues it.
struct Generated {
    std::vector<std::int64_t> tokens;  ///< without the decoder's start, with the end where it came
    double score = 0;                  ///< of its beam; greedy: its log probability
};

/// One target for each input of `inputs` (inputIds, inputMask), as transformers' generate() makes
/// it with do_sample=False, early_stopping=False and max_new_tokens: a beam that ends counts when
/// it is among the best `beams` candidates of its step, and an input is done when no running beam
/// can pass its `beams` finished ones. The decoder's routers know no capacity here. `goOn` is asked
/// before every token: false ends it with an empty result. BadInput for a model that generates
/// nothing.
std::vector<Generated> generate(Model& model, const Batch& inputs, const GenerationOptions& options,
                                const std::function<bool()>& goOn = {});

}  // namespace core
