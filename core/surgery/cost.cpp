// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5_tensors_internal.h"
#include "core/model/vit_tensors_internal.h"
#include "core/surgery/report.h"
#include "core/surgery/t5_cost.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr int kAdamMoments = 2;

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

double trainedParameters(const ModelSpec& spec) {
    double elements = 0;
    for (const ExpectedTensor& tensor : vitTensors(spec, {}))
        elements += static_cast<double>(tensor.shape().elements()) *
                    static_cast<double>(std::max<std::int64_t>(tensor.experts, 1));
    return elements;
}

/// (Token, expert) pairs of one MoE layer, at most.
double slots(const MoeSpec& moe, std::int64_t sequences, std::int64_t length) {
    const std::int64_t tokens = sequences * length;
    const std::int64_t group = moe.group.kind == GroupSize::Kind::Batch      ? tokens
                               : moe.group.kind == GroupSize::Kind::Sequence ? length
                                                                             : moe.group.tokens;
    const auto ofGroup = [&](double n) {
        const auto experts = static_cast<double>(moe.experts);
        const double capacity =
            std::min(n, std::max(1.0, std::ceil(moe.capacity * n / experts - 1e-9)));
        if (moe.router == RouterKind::ExpertChoice) return experts * capacity;
        const double asked = moe.k * n;
        return moe.dropless ? asked : std::min(asked, experts * capacity);
    };
    const std::int64_t size = std::clamp<std::int64_t>(group, 1, std::max<std::int64_t>(tokens, 1));
    const std::int64_t rest = tokens % size;
    const std::int64_t whole = tokens / size;
    return static_cast<double>(whole) * ofGroup(static_cast<double>(size)) +
           (rest == 0 ? 0.0 : ofGroup(static_cast<double>(rest)));
}

/// 4-byte elements that a training step keeps from forward to backward, and the most that backward
/// needs beside them; the terms follow core/model (vit.cpp, vit_block.cpp and its layers).
struct Activations {
    double kept = 0;
    double transient = 0;
};

Activations mlpActivations(const BlockSpec& block, const VitSpec& vit, std::int64_t sequences) {
    const auto n = static_cast<double>(sequences * vit.tokens());
    const auto hidden = static_cast<double>(vit.hidden);
    const auto inner = static_cast<double>(vit.intermediate);
    if (!block.moe) return {2 * n * inner, n * inner};
    const double used = slots(*block.moe, sequences, vit.tokens());
    const double table = n * static_cast<double>(block.moe->experts);
    const double asked = block.moe->router == RouterKind::TopK ? n * block.moe->k : 0;
    return {2 * table + 2 * n + asked + used * (2 * inner + hidden + 4),
            used * (hidden + inner + 1) + n * hidden + table};
}

Activations vitActivations(const ModelSpec& spec, std::int64_t batch) {
    const VitSpec& vit = spec.vit;
    const auto examples = static_cast<double>(batch);
    const auto n = examples * static_cast<double>(vit.tokens());
    const double row = n * static_cast<double>(vit.hidden);
    const double patches =
        examples * static_cast<double>(vit.channels * vit.imageSize * vit.imageSize);
    const double head = examples * static_cast<double>(2 * vit.hidden + vit.classes + 4);
    Activations sum;
    sum.kept = row + 2 * patches + head;
    for (const BlockSpec& block : spec.blocks) {
        const Activations mlp = mlpActivations(block, vit, batch);
        sum.kept += 8 * row + 4 * n + n * static_cast<double>(vit.heads) + mlp.kept;
        sum.transient = std::max(sum.transient, 2 * row + std::max(4 * row, mlp.transient));
    }
    return sum;
}

}  // namespace

double expertsUsed(const MoeSpec& moe) {
    const auto experts = static_cast<double>(moe.experts);
    if (moe.router == RouterKind::ExpertChoice) return std::min(moe.capacity, experts);
    const auto k = static_cast<double>(moe.k);
    return moe.dropless ? k : std::min(k, moe.capacity);
}

std::uint64_t trainingBytes(const ModelSpec& spec, std::int64_t batch,
                            int optimizerMomentsPerWeight) {
    if (spec.family != Family::Vit) return 0;
    const Activations activations = vitActivations(spec, batch);
    const double weights = trainedParameters(spec) * (2 + optimizerMomentsPerWeight);
    const double bytes = sizeof(float) * (weights + activations.kept + activations.transient);
    return static_cast<std::uint64_t>(std::min(bytes, 9e18));
}

ModelCost modelCost(const ModelSpec& spec, std::span<const TensorInfo> tensors,
                    std::int64_t trainingBatch) {
    ModelCost cost;
    for (const TensorInfo& tensor : tensors) cost.fileBytes += tensor.bytes;
    cost.parameters = parametersOf(spec, tensors);
    cost.activeParameters = activeParameters(spec, vitNames(tensors), cost.parameters);
    if (spec.family == Family::Vit) cost.flopsPerToken = vitFlopsPerToken(spec);
    if (spec.family == Family::T5) addT5Flops(spec, cost);
    cost.trainingBytes = trainingBytes(spec, trainingBatch, kAdamMoments);
    return cost;
}

}  // namespace core
