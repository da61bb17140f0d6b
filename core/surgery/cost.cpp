// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5_tensors_internal.h"
#include "core/surgery/report.h"
#include "core/surgery/t5_cost.h"
#include "core/surgery/training_memory_internal.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

double vitFlopsPerToken(const ModelSpec& spec) {
    const VitSpec& vit = spec.vit;
    const auto hidden = static_cast<double>(vit.hidden);
    const auto tokens = static_cast<double>(vit.tokens());
    const double mlp = 4 * hidden * static_cast<double>(vit.intermediate);
    const double attention = 8 * hidden * hidden + 4 * tokens * hidden;
    double flops = 0;
    for (const BlockSpec& block : spec.blocks) {
        flops += attention;
        flops += block.moe ? mlp * expertsUsed(*block.moe) +
                                 2 * hidden * static_cast<double>(block.moe->experts)
                           : mlp;
    }
    const auto patch = static_cast<double>(vit.channels * vit.patchSize * vit.patchSize);
    const double ends = 2 * hidden * patch * static_cast<double>(vit.patches()) +
                        2 * hidden * static_cast<double>(vit.classes);
    return flops + ends / tokens;
}

/// All parameters less those of the experts that a token does not use on average.
std::uint64_t activeParameters(const ModelSpec& spec, const VitNames& names,
                               std::uint64_t parameters) {
    double idle = 0;
    const std::vector<ExpectedTensor> tensors = expectedTensors(spec, names);
    for (const auto& [name, mlp] : mlpsOf(tensors)) {
        if (mlp.experts.empty()) continue;
        const MoeSpec& moe = *spec.find(name)->moe;
        for (const ExpectedTensor* tensor : mlp.experts)
            idle += static_cast<double>(tensor->shape().elements()) *
                    (static_cast<double>(moe.experts) - expertsUsed(moe));
    }
    return parameters - std::min(parameters, static_cast<std::uint64_t>(std::llround(idle)));
}

/// Elements of the floating tensors that are parameters of their own. Where a T5 file lacks
/// shared.weight, the first of its copies is the embedding.
std::uint64_t parametersOf(const ModelSpec& spec, std::span<const TensorInfo> tensors) {
    std::uint64_t parameters = 0;
    bool embedded = std::any_of(tensors.begin(), tensors.end(), [](const TensorInfo& tensor) {
        return tensor.name == "shared.weight";
    });
    for (const TensorInfo& tensor : tensors) {
        if (!isFloating(tensor.dtype)) continue;
        if (spec.family == Family::T5) {
            const T5Extra extra = t5Extra(spec.t5, tensor.name);
            if (extra == T5Extra::Stray || (extra == T5Extra::TiedCopy && embedded)) continue;
            embedded = embedded || extra == T5Extra::TiedCopy;
        }
        parameters += static_cast<std::uint64_t>(tensor.shape.elements());
    }
    return parameters;
}

}  // namespace

double expertsUsed(const MoeSpec& moe) {
    const auto experts = static_cast<double>(moe.experts);
    if (moe.router == RouterKind::ExpertChoice) return std::min(moe.capacity, experts);
    const auto k = static_cast<double>(moe.k);
    return moe.dropless ? k : std::min(k, moe.capacity);
}

ModelCost modelCost(const ModelSpec& spec, std::span<const TensorInfo> tensors,
                    std::int64_t trainingBatch) {
    ModelCost cost;
    for (const TensorInfo& tensor : tensors) cost.fileBytes += tensor.bytes;
    cost.parameters = parametersOf(spec, tensors);
    cost.activeParameters = activeParameters(spec, vitNames(tensors), cost.parameters);
    if (spec.family == Family::Vit) cost.flopsPerToken = vitFlopsPerToken(spec);
    if (spec.family == Family::T5) addT5Flops(spec, cost);
    cost.trainingBytes = plannedTrainingBytes(spec, trainingBatch);
    return cost;
}

}  // namespace core
