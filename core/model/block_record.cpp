// SPDX-License-Identifier: Apache-2.0
#include "core/model/block_record.h"

namespace core {

MlpOutput askedOutput(const Pass& pass, const ForwardOptions& options, const std::string& block,
                      const Shape& shape, ForwardResult& result) {
    MlpOutput output;
    if (options.keepOutputs) {
        output.kept = pass.shown.allocate(shape);
        result.mlpOutputs.emplace_back(block, output.kept);
    }
    for (const auto& [name, substitute] : options.substituteOutputs)
        if (name == block) output.substitute = substitute;
    return output;
}

void record(ForwardResult& result, const std::string& block, const Routing* routing,
            std::int64_t moeBlocks) {
    if (routing == nullptr) return;
    result.routers.push_back({block, routing->probabilities, routing->weights, routing->assignment,
                              routing->groups.mask, routing->auxLoss, routing->zLoss});
    result.auxLoss += routing->auxLoss / static_cast<double>(moeBlocks);
    result.zLoss += routing->zLoss / static_cast<double>(moeBlocks);
}

}  // namespace core
