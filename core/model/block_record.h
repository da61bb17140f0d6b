// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/feed_forward.h"
#include "core/model/model.h"

#include <string>

namespace core {

/// What the options of a forward ask about a block's MLP output of `shape`; a kept output is put
/// into the result.
MlpOutput askedOutput(const Pass& pass, const ForwardOptions& options, const std::string& block,
                      const Shape& shape, ForwardResult& result);

/// Puts a MoE block's routing into the result; its losses stay on the device until readLosses.
void record(ForwardResult& result, const std::string& block, const Routing* routing);

/// What a backward sends into each MoE block's balance loss and z-loss.
struct AuxGradients {
    float balance = 0;
    float z = 0;
};

/// Of `scale` times the total loss, in which `record` counts those losses.
AuxGradients auxGradients(const LossSpec& loss, std::int64_t moeBlocks, float scale);

}  // namespace core
