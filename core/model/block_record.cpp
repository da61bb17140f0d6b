// SPDX-License-Identifier: Apache-2.0
#include "core/model/block_record.h"

#include <algorithm>

namespace core {

MlpOutput askedOutput(const Pass& pass, const ForwardOptions& options, const std::string& block,
                      const Shape& shape, ForwardResult& result) {
    MlpOutput output;
    if (options.keepOutputs) {
        output.kept = pass.shown.allocate(shape, pass.dtype);
        result.mlpOutputs.emplace_back(block, output.kept);
    }
    for (const auto& [name, substitute] : options.substituteOutputs)
        if (name == block) output.substitute = substitute;
    return output;
}

void record(ForwardResult& result, const std::string& block, const Routing* routing) {
    if (routing == nullptr) return;
    result.routers.push_back({block, routing->probabilities, routing->weights, routing->assignment,
                              routing->groups.mask, 0, 0, routing->auxLoss, routing->zLoss});
}

AuxGradients auxGradients(const LossSpec& loss, std::int64_t moeBlocks, float scale) {
    const auto blocks = static_cast<float>(std::max<std::int64_t>(moeBlocks, 1));
    return {scale * loss.aux / blocks, scale * loss.z / blocks};
}

}  // namespace core
