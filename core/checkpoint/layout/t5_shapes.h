// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstdint>

namespace core {

/// T5's numbers as far as the shapes of its tensors (HF names) tell them; 0 where no tensor does.
struct T5Shapes {
    std::int64_t vocab = 0, dModel = 0;
    std::int64_t inner = 0;  ///< d_kv of all heads together
    std::int64_t heads = 0;  ///< as the relative-position table has them
    std::int64_t relativeBuckets = 0;
    std::int64_t dFf = 0;
    bool gated = false;
    bool switchNames = false;  ///< a dense MLP is named as SwitchTransformers names it
    std::int64_t encoderLayers = 0, decoderLayers = 0;
};

T5Shapes t5Shapes(const Checkpoint& hf);

/// Whether the file has an output matrix beside the embedding.
bool hasT5Head(const Checkpoint& hf);

}  // namespace core
