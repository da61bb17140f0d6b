// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5.h"

#include "core/base/error.h"
#include "core/model/block_record.h"
#include "core/model/t5_batch.h"
#include "core/ops/elementwise.h"
#include "core/ops/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace core {
namespace {

ModelSpec computable(ModelSpec spec) {
    requireComputable(spec.t5);
    return spec;
}

Tensor flat(const Tensor& tensor) {
    return tensor.defined() ? tensor.view({tensor.elements()}) : Tensor();
}

float outputScale(const T5Spec& t5) {
    return t5.scaledOutput ? 1.0F / std::sqrt(static_cast<float>(t5.dModel)) : 1.0F;
}

Dropout dropoutOf(const T5Spec& t5, const ForwardOptions& options) {
    if (!options.training) return {};
    const float rate = options.dropout.value_or(t5.dropout);
    CORE_CHECK(rate >= 0 && rate < 1, "a dropout rate from 0 to below 1");
    return Dropout{rate, options.seed}.at("dropout");
}

}  // namespace

T5::T5(ModelSpec spec, std::shared_ptr<Backend> backend, bool gradients, DType dtype)
    : Model(std::move(backend), dtype),
      spec_(computable(std::move(spec))),
      table_(describeParameters(spec_), this->backend(), gradients, dtype),
      encoder_(makeStack("encoder")),
      decoder_(makeStack("decoder")),
      output_(table_.linear(spec_.t5.tiedEmbeddings ? "shared" : "lm_head")),
      moeBlocks_(std::count_if(spec_.blocks.begin(), spec_.blocks.end(),
                               [](const BlockSpec& block) { return block.moe.has_value(); })),
      shown_([this](std::size_t bytes) { return this->backend().allocate(bytes); }) {}

RmsNorm T5::norm(const std::string& name) const {
    return {table_.at(name + ".weight"), spec_.t5.layerNormEpsilon};
}

T5Block::Attention T5::attention(const std::string& sublayer, const char* kind) {
    const std::string at = sublayer + kind;
    return {norm(sublayer + "layer_norm"),
            T5Attention(table_.linear(at + ".q"), table_.linear(at + ".k"),
                        table_.linear(at + ".v"), table_.linear(at + ".o"), spec_.t5.heads)};
}

FeedForward T5::feedForward(const std::string& sublayer, const BlockSpec& block) {
    const T5Spec& t5 = spec_.t5;
    const std::string up = t5.gated ? "wi_0" : "wi";
    if (!block.moe) {
        const std::string at = sublayer + (t5.switchNames ? "mlp." : "DenseReluDense.");
        std::optional<Linear> gate;
        if (t5.gated) gate = table_.linear(at + "wi_1");
        return FeedForward(
            Mlp(table_.linear(at + up), table_.linear(at + "wo"), t5.activation, gate));
    }
    const std::string expert = sublayer + "mlp.experts.expert_{e}.";
    MoeMlp::Experts experts;
    experts.upWeight = &table_.matrix(expert + up + ".weight");
    experts.downWeight = &table_.matrix(expert + "wo.weight");
    if (t5.gated) experts.gateWeight = &table_.matrix(expert + "wi_1.weight");
    const Router router(table_.f32Linear(sublayer + "mlp.router.classifier"), *block.moe,
                        block.stack == "decoder");
    return FeedForward(MoeMlp(router, experts, t5.activation));
}

T5Block T5::makeBlock(const BlockSpec& block) {
    int layer = 0;
    const auto next = [&] {
        return fmt::format("{}.block.{}.layer.{}.", block.stack, block.index, layer++);
    };
    const T5Block::Attention self = attention(next(), "SelfAttention");
    std::optional<T5Block::Attention> cross;
    if (block.stack == "decoder") cross = attention(next(), "EncDecAttention");
    const std::string mlp = next();
    return {block.name, self, cross, norm(mlp + "layer_norm"), feedForward(mlp, block)};
}

T5Stack T5::makeStack(const std::string& name) {
    std::vector<T5Block> blocks;
    for (const BlockSpec& block : spec_.blocks)
        if (block.stack == name) blocks.push_back(makeBlock(block));
    const RelativeBuckets buckets{name == "encoder", spec_.t5.relativeBuckets,
                                  spec_.t5.relativeMaxDistance, 0};
    return {name,
            table_.at("shared.weight"),
            table_.at(name + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
            buckets,
            std::move(blocks),
            norm(name + ".final_layer_norm")};
}

Pass T5::pass(bool training) { return {backend(), workspace(), shown_, training, computeType()}; }

void T5::toLogits(const Pass& pass, Out logits, InOut output) const {
    if (spec_.t5.scaledOutput) ops::scale(pass.backend, output, outputScale(spec_.t5));
    output_.forward(pass, logits, output);
}

ForwardResult T5::forward(const Batch& batch, const ForwardOptions& options) {
    const T5Spec& t5 = spec_.t5;
    checkT5Batch(t5, batch, backend());
    trace_.reset();
    workspace().reset();
    shown_.reset();
    const Pass p = pass(options.training);
    const std::int64_t sequences = batch.inputIds.size(0);
    const std::int64_t rows = batch.decoderInputIds.elements();
    const Dropout dropout = dropoutOf(t5, options);
    const CountedLabels labels =
        countLabels(p.backend, flat(batch.labels), flat(batch.onHost.labels), t5.vocab);
    ForwardResult result;
    Trace trace;
    trace.memory = p.tensor({batch.inputIds.elements(), t5.dModel});
    trace.output = p.tensor({rows, t5.dModel});
    trace.encoder = encoder_.forward(
        p, trace.memory,
        {flat(batch.inputIds), sequences, batch.inputMask, batch.onHost.inputMask, {}, {}, dropout},
        options, result);
    trace.decoder =
        decoder_.forward(p, trace.output,
                         {flat(batch.decoderInputIds), sequences, batch.decoderMask,
                          batch.onHost.decoderMask, trace.memory, batch.inputMask, dropout},
                         options, result);
    const Tensor logits = p.shown.allocate({rows, t5.vocab}, p.dtype);
    toLogits(p, logits, trace.output);
    result.logits = logits.view({sequences, rows / sequences, t5.vocab});
    trace.loss = ClassificationLoss::finish(p, logits, labels, options, result);
    if (options.training) trace_ = std::move(trace);
    return result;
}

void T5::backward(float scale) {
    CORE_CHECK(trace_ && trace_->loss.labels.defined(), "one training forward with labels before");
    const Trace trace = std::move(*trace_);
    trace_.reset();
    const Pass p = pass(true);
    const Workspace::Scope scope(p.workspace);
    const auto [dAux, dZ] = auxGradients(trace.loss.spec, moeBlocks_, scale);
    const Tensor dMemory = p.tensor(trace.memory.shape());
    ops::fill(p.backend, dMemory, 0.0F);
    const Tensor dOutput = p.tensor(trace.output.shape());
    {
        const Workspace::Scope head(p.workspace);
        const Tensor dLogits = p.tensor(trace.loss.logits.shape());
        ClassificationLoss::backward(p, dLogits, trace.loss, scale);
        output_.backward(p, dOutput, trace.output, dLogits);
    }
    if (spec_.t5.scaledOutput) ops::scale(p.backend, dOutput, outputScale(spec_.t5));
    decoder_.backward(p, trace.decoder, dOutput, dMemory, dAux, dZ);
    encoder_.backward(p, trace.encoder, dMemory, {}, dAux, dZ);
}

}  // namespace core
