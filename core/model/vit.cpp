// SPDX-License-Identifier: Apache-2.0
#include "core/model/vit.h"

#include "core/base/error.h"
#include "core/model/block_record.h"
#include "core/ops/memory.h"
#include "core/ops/patches.h"
#include "core/ops/rows.h"

#include <fmt/format.h>

namespace core {
namespace {

Tensor flat(const Tensor& tensor) { return tensor.view({tensor.elements()}); }

/// The top left [B, C, size, size] of square images: what whole patches cover.
Tensor cropped(const Pass& pass, const Tensor& pixels, std::int64_t size) {
    const std::int64_t side = pixels.size(3);
    if (side == size) return pixels;
    const std::int64_t planes = pixels.size(0) * pixels.size(1);
    Tensor result = pass.f32({pixels.size(0), pixels.size(1), size, size});
    const Tensor from = flat(pixels);
    const Tensor into = flat(result);
    for (std::int64_t row = 0; row < planes * size; ++row) {
        const std::int64_t begin = (row / size * side + row % size) * side;
        ops::copy(pass.backend, into.rows(row * size, (row + 1) * size),
                  from.rows(begin, begin + size));
    }
    return result;
}

}  // namespace

Vit::Vit(ModelSpec spec, std::shared_ptr<Backend> backend, bool gradients, const VitNames& names,
         DType dtype)
    : Model(std::move(backend), dtype),
      spec_(std::move(spec)),
      names_(names),
      table_(describeParameters(spec_, names), this->backend(), gradients, dtype),
      shown_([this](std::size_t bytes) { return this->backend().allocate(bytes); }) {
    for (const BlockSpec& block : spec_.blocks) {
        blocks_.push_back(makeBlock(block));
        if (block.moe) ++moeBlocks_;
    }
    projection_ = table_.linear(names_.prefix + "embeddings.patch_embeddings.projection");
    norm_ = layerNorm(names_.prefix + "layernorm");
    classifier_ = table_.f32Linear("classifier");
}

LayerNorm Vit::layerNorm(const std::string& name) const {
    return {table_.at(name + ".weight"), table_.at(name + ".bias"), spec_.vit.layerNormEpsilon};
}

VitBlock Vit::makeBlock(const BlockSpec& block) {
    const std::string at = names_.block(block.index);
    const std::string attention = at + "attention.attention.";
    const SelfAttention selfAttention(
        table_.linear(attention + "query"), table_.linear(attention + "key"),
        table_.linear(attention + "value"), table_.linear(at + "attention.output.dense"),
        spec_.vit.heads);
    const LayerNorm before = layerNorm(at + "layernorm_before");
    const LayerNorm after = layerNorm(at + "layernorm_after");
    const Activation activation = spec_.vit.activation;
    if (!block.moe)
        return {block.name, before, selfAttention, after,
                FeedForward(Mlp(table_.linear(at + "intermediate.dense"),
                                table_.linear(at + "output.dense"), activation))};
    const std::string expert = at + "mlp.experts.expert_{e}.";
    const MoeMlp::Experts experts{&table_.matrix(expert + "intermediate.dense.weight"),
                                  &table_.at(expert + "intermediate.dense.bias"),
                                  &table_.matrix(expert + "output.dense.weight"),
                                  &table_.at(expert + "output.dense.bias")};
    const Router router(table_.f32Linear(at + "mlp.router.classifier"), *block.moe);
    return {block.name, before, selfAttention, after,
            FeedForward(MoeMlp(router, experts, activation))};
}

Pass Vit::pass(bool training) { return {backend(), workspace(), shown_, training, computeType()}; }

void Vit::checkBatch(const Batch& batch) const {
    const VitSpec& vit = spec_.vit;
    const Shape& shape = batch.pixels.shape();
    if (!batch.pixels.defined() || batch.pixels.dtype() != DType::F32 || shape.rank() != 4 ||
        shape[0] < 1 || shape[1] != vit.channels || shape[2] != vit.imageSize ||
        shape[3] != vit.imageSize)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("pixel_values are {}, expected F32 [B, {}, {}, {}]",
                        batch.pixels.describe(), vit.channels, vit.imageSize, vit.imageSize),
            "give images of the size and channels that the model's config names");
    if (batch.labels.defined() &&
        (batch.labels.dtype() != DType::I64 || batch.labels.shape() != Shape{shape[0]}))
        throw Error(
            ErrorKind::BadInput,
            fmt::format("labels are {}, expected I64 [{}]", batch.labels.describe(), shape[0]),
            "give one class number per image");
}

Tensor Vit::embed(const Pass& pass, const Tensor& pixels, Trace& trace) const {
    const VitSpec& vit = spec_.vit;
    const std::int64_t rows = pixels.size(0) * vit.patches();
    Tensor x = pass.tensor({pixels.size(0), vit.tokens(), vit.hidden});
    trace.patches = pass.tensor({rows, vit.channels * vit.patchSize * vit.patchSize});
    ops::patchify(pass.backend, trace.patches,
                  cropped(pass, pixels, vit.imageSize / vit.patchSize * vit.patchSize),
                  vit.patchSize);
    const Workspace::Scope scope(pass.workspace);
    const Tensor projected = pass.tensor({rows, vit.hidden});
    projection_->forward(pass, projected, trace.patches);
    ops::embedForward(pass.backend, x, projected,
                      flat(table_.at(names_.prefix + "embeddings.cls_token").value),
                      table_.at(names_.prefix + "embeddings.position_embeddings")
                          .value.view({vit.tokens(), vit.hidden}));
    return x.view({pixels.size(0) * vit.tokens(), vit.hidden});
}

Tensor Vit::runBlocks(const Pass& pass, Tensor x, const ForwardOptions& options, Trace& trace,
                      ForwardResult& result) {
    Tensor spare = pass.training ? Tensor() : pass.tensor(x.shape());
    for (const VitBlock& block : blocks_) {
        const Tensor y = pass.training ? pass.tensor(x.shape()) : spare;
        const MlpOutput output = askedOutput(pass, options, block.name(), x.shape(), result);
        Pass own = pass;
        own.training = pass.training && !options.recompute;
        VitBlock::Saved saved = block.forward(own, y, x, trace.batch, output);
        record(result, block.name(), saved.routing());
        if (own.training)
            trace.blocks.push_back(std::move(saved));
        else if (pass.training)
            trace.inputs.push_back(x);
        spare = x;
        x = y;
    }
    return x;
}

ForwardResult Vit::forward(const Batch& batch, const ForwardOptions& options) {
    checkBatch(batch);
    trace_.reset();
    workspace().reset();
    shown_.reset();
    const Pass p = pass(options.training);
    const VitSpec& vit = spec_.vit;
    const CountedLabels labels =
        countLabels(p.backend, batch.labels, batch.onHost.labels, vit.classes);
    ForwardResult result;
    Trace trace;
    trace.batch = batch.pixels.size(0);
    const Tensor x = runBlocks(p, embed(p, batch.pixels, trace), options, trace, result);
    const Tensor cls = p.tensor({trace.batch, vit.hidden});
    ops::firstRowsForward(p.backend, cls, x.view({trace.batch, vit.tokens(), vit.hidden}));
    result.features = trace.features = p.shown.allocate(cls.shape());
    const Tensor normed = p.dtype == DType::F32 ? result.features : p.tensor(cls.shape());
    trace.norm = norm_->forward(p, normed, cls);
    if (p.dtype != DType::F32) ops::copy(p.backend, result.features, normed);
    result.logits = p.shown.allocate({trace.batch, vit.classes});
    classifier_->forward(p, result.logits, result.features);
    trace.loss = ClassificationLoss::finish(p, result.logits, labels, options, result);
    if (options.training) trace_ = std::move(trace);
    return result;
}

void Vit::backward(float scale) {
    CORE_CHECK(trace_ && trace_->loss.labels.defined(), "one training forward with labels before");
    const Trace trace = std::move(*trace_);
    trace_.reset();
    const Pass p = pass(true);
    const Workspace::Scope scope(p.workspace);
    const VitSpec& vit = spec_.vit;
    const Tensor dx = p.tensor({trace.batch * vit.tokens(), vit.hidden});
    {
        const Workspace::Scope head(p.workspace);
        const Tensor dLogits = p.f32(trace.loss.logits.shape());
        const Tensor exact = p.f32(trace.features.shape());
        const Tensor dFeatures = p.dtype == DType::F32 ? exact : p.tensor(exact.shape());
        ClassificationLoss::backward(p, dLogits, trace.loss, scale);
        classifier_->backward(p, exact, trace.features, dLogits);
        if (p.dtype != DType::F32) ops::copy(p.backend, dFeatures, exact);
        norm_->backward(p, dFeatures, trace.norm, dFeatures);
        ops::firstRowsBackward(p.backend, dx.view({trace.batch, vit.tokens(), vit.hidden}),
                               dFeatures);
    }
    const auto [dAux, dZ] = auxGradients(trace.loss.spec, moeBlocks_, scale);
    for (std::size_t i = blocks_.size(); i-- > 0;) backwardBlock(p, trace, i, dx, dAux, dZ);
    backwardEmbedding(p, trace, dx);
}

void Vit::backwardBlock(const Pass& pass, const Trace& trace, std::size_t block, InOut dx,
                        float dAux, float dZ) const {
    if (trace.inputs.empty())
        return blocks_[block].backwardInPlace(pass, trace.blocks[block], dx, dAux, dZ);
    const Workspace::Scope scope(pass.workspace);
    const Pass again = pass.shownInWorkspace();
    const Tensor& x = trace.inputs[block];
    const VitBlock::Saved saved =
        blocks_[block].forward(again, again.tensor(x.shape()), x, trace.batch, {});
    blocks_[block].backwardInPlace(again, saved, dx, dAux, dZ);
}

void Vit::backwardEmbedding(const Pass& pass, const Trace& trace, const Tensor& dx) const {
    const VitSpec& vit = spec_.vit;
    const Tensor dProjected = pass.tensor({trace.patches.size(0), vit.hidden});
    ops::embedBackward(pass.backend, dProjected,
                       flat(table_.at(names_.prefix + "embeddings.cls_token").gradient),
                       table_.at(names_.prefix + "embeddings.position_embeddings")
                           .gradient.view({vit.tokens(), vit.hidden}),
                       dx.view({trace.batch, vit.tokens(), vit.hidden}));
    projection_->backwardWeight(pass, trace.patches, dProjected);
}

}  // namespace core
