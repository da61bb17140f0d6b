// SPDX-License-Identifier: Apache-2.0
#include "core/model/expected_tensors_internal.h"
#include "core/surgery/training_memory_internal.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr int kAdamMoments = 2;
/// Adafactor keeps sums of rows and columns in place of a second moment where both are this long.
constexpr std::int64_t kSmallestFactored = 128;

double experts(const ExpectedTensor& tensor) {
    return static_cast<double>(std::max<std::int64_t>(tensor.experts, 1));
}

double trainedParameters(const ModelSpec& spec) {
    double elements = 0;
    for (const ExpectedTensor& tensor : expectedTensors(spec, {}))
        elements += static_cast<double>(tensor.shape().elements()) * experts(tensor);
    return elements;
}

/// Of the copies in bf16 that products with activations read.
double copiedElements(const ModelSpec& spec) {
    double elements = 0;
    for (const ExpectedTensor& tensor : expectedTensors(spec, {})) {
        const auto has = [&](std::string_view word) {
            return tensor.name.find(word) != std::string::npos;
        };
        const bool embedding = tensor.name == "shared.weight" && !spec.t5.tiedEmbeddings;
        const bool copied = tensor.name.ends_with(".weight") && tensor.shape().rank() >= 2 &&
                            tensor.name != "classifier.weight" && !has("router.classifier") &&
                            !has("relative_attention_bias") && !embedding;
        if (copied) elements += static_cast<double>(tensor.shape().elements()) * experts(tensor);
    }
    return elements;
}

double adafactorElements(const ModelSpec& spec) {
    double elements = 0;
    for (const ExpectedTensor& tensor : expectedTensors(spec, {})) {
        const Shape shape = tensor.shape();
        const bool factored =
            shape.rank() == 2 && shape[0] >= kSmallestFactored && shape[1] >= kSmallestFactored;
        const std::int64_t one = factored ? shape[0] + shape[1] : shape.elements();
        elements += static_cast<double>(one) * experts(tensor);
    }
    return elements;
}

/// (Token, expert) pairs of one MoE layer, at most.
double slots(const MoeSpec& moe, std::int64_t sequences, std::int64_t length) {
    const std::int64_t tokens = sequences * length;
    const std::int64_t group = moe.group.kind == GroupSize::Kind::Batch      ? tokens
                               : moe.group.kind == GroupSize::Kind::Sequence ? length
                                                                             : moe.group.tokens;
    const auto ofGroup = [&](double n) {
        const auto count = static_cast<double>(moe.experts);
        const double capacity =
            std::min(n, std::max(1.0, std::ceil(moe.capacity * n / count - 1e-9)));
        if (moe.router == RouterKind::ExpertChoice) return count * capacity;
        const double asked = moe.k * n;
        return moe.dropless ? asked : std::min(asked, count * capacity);
    };
    const std::int64_t size = std::clamp<std::int64_t>(group, 1, std::max<std::int64_t>(tokens, 1));
    const std::int64_t rest = tokens % size;
    const std::int64_t whole = tokens / size;
    return static_cast<double>(whole) * ofGroup(static_cast<double>(size)) +
           (rest == 0 ? 0.0 : ofGroup(static_cast<double>(rest)));
}

Activations activationsOf(const ModelSpec& spec, std::int64_t batch, const TextLengths& lengths,
                          const StepSettings& settings) {
    return spec.family == Family::T5 ? t5Activations(spec, batch, lengths, settings)
                                     : vitActivations(spec, batch, settings);
}

bool isTrained(const ModelSpec& spec) {
    return spec.family == Family::Vit || (spec.family == Family::T5 && spec.t5.decoderLayers > 0);
}

std::uint64_t inBytes(double elements) {
    return static_cast<std::uint64_t>(std::min(sizeof(float) * elements, 9e18));
}

}  // namespace

double wordsOf(const StepSettings& settings) { return settings.dtype == DType::BF16 ? 0.5 : 1.0; }

void addBlock(Activations& sum, const Activations& block, double row,
              const StepSettings& settings) {
    sum.kept += settings.recompute ? row : block.kept;
    sum.transient =
        std::max(sum.transient, block.transient + (settings.recompute ? block.kept : 0.0));
}

Activations mlpActivations(const BlockSpec& block, const MlpShape& mlp, std::int64_t sequences,
                           std::int64_t length, const StepSettings& settings) {
    const double w = wordsOf(settings);
    const auto n = static_cast<double>(sequences * length);
    const double before = mlp.gated ? 2 : 1;
    const double inner = (mlp.relu && !mlp.gated ? 1 : before + 1) * mlp.inner;  // kept
    if (!block.moe)
        return {w * n * inner, w * (before * n * mlp.inner + (mlp.gated ? n * mlp.hidden : 0))};
    const double used = slots(*block.moe, sequences, length);
    const double table = n * static_cast<double>(block.moe->experts);
    const double asked = block.moe->router == RouterKind::TopK ? n * block.moe->k : 0;
    const double exact = settings.dtype == DType::F32 ? 0 : 2 * n * mlp.hidden;  // of the router
    return {
        2 * table + 2 * n + asked + used * (w * (inner + mlp.hidden) + 4),
        used * (w * (mlp.hidden + before * mlp.inner) + 1) + w * n * mlp.hidden + table + exact};
}

/// The terms follow core/model (vit.cpp, vit_block.cpp and its layers).
Activations vitActivations(const ModelSpec& spec, std::int64_t batch,
                           const StepSettings& settings) {
    const VitSpec& vit = spec.vit;
    const double w = wordsOf(settings);
    const auto examples = static_cast<double>(batch);
    const auto n = examples * static_cast<double>(vit.tokens());
    const double row = w * n * static_cast<double>(vit.hidden);
    const double patches =
        examples * static_cast<double>(vit.channels * vit.imageSize * vit.imageSize);
    const double head = examples * static_cast<double>(2 * vit.hidden + vit.classes + 4);
    const MlpShape shape{static_cast<double>(vit.hidden), static_cast<double>(vit.intermediate),
                         false, vit.activation == Activation::Relu};
    Activations sum;
    sum.kept = row + (2 + w) * patches + head;  // two batches of pixels: DeviceBatch
    for (const BlockSpec& block : spec.blocks) {
        const Activations mlp = mlpActivations(block, shape, batch, vit.tokens(), settings);
        addBlock(sum,
                 {8 * row + 4 * n + n * static_cast<double>(vit.heads) + mlp.kept,
                  2 * row + std::max(4 * row, mlp.transient)},
                 row, settings);
    }
    return sum;
}

std::uint64_t trainingBytes(const ModelSpec& spec, std::int64_t batch,
                            int optimizerMomentsPerWeight, const TextLengths& lengths,
                            const StepSettings& settings) {
    if (!isTrained(spec)) return 0;
    const Activations activations = activationsOf(spec, batch, lengths, settings);
    const double copies =
        settings.dtype == DType::F32 ? 0 : wordsOf(settings) * copiedElements(spec);
    const double weights = trainedParameters(spec) * (2 + optimizerMomentsPerWeight) + copies;
    return inBytes(weights + activations.kept + activations.transient);
}

std::uint64_t activationBytes(const ModelSpec& spec, std::int64_t batch, const TextLengths& lengths,
                              const StepSettings& settings) {
    if (!isTrained(spec)) return 0;
    const Activations activations = activationsOf(spec, batch, lengths, settings);
    return inBytes(activations.kept + activations.transient);
}

std::uint64_t plannedTrainingBytes(const ModelSpec& spec, std::int64_t batch) {
    if (spec.family == Family::Vit) return trainingBytes(spec, batch, kAdamMoments);
    if (!isTrained(spec)) return 0;
    const Activations activations = activationsOf(spec, batch, {}, {});
    return inBytes(2 * trainedParameters(spec) + adafactorElements(spec) + activations.kept +
                   activations.transient);
}

}  // namespace core
