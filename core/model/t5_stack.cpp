// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5_stack.h"

#include "core/model/block_record.h"
#include "core/ops/embedding.h"
#include "core/ops/memory.h"

namespace core {

T5Stack::T5Stack(std::string name, const Parameter& embedding, const Parameter& biasTable,
                 const RelativeBuckets& buckets, std::vector<T5Block> blocks, const RmsNorm& norm)
    : name_(std::move(name)),
      embedding_(&embedding),
      biasTable_(&biasTable),
      buckets_(buckets),
      blocks_(std::move(blocks)),
      norm_(norm) {}

Tensor T5Stack::runBlocks(const Pass& pass, Tensor x, const T5Block::Context& context,
                          const ForwardOptions& options, ForwardResult& result,
                          Saved& saved) const {
    Tensor spare = pass.training ? Tensor() : pass.tensor(x.shape());
    for (const T5Block& block : blocks_) {
        const Tensor y = pass.training ? pass.tensor(x.shape()) : spare;
        const MlpOutput output = askedOutput(pass, options, block.name(), x.shape(), result);
        Pass own = pass;
        own.training = pass.training && !options.recompute;
        T5Block::Saved s = block.forward(own, y, x, context, output);
        record(result, block.name(), s.mlp.routing());
        if (own.training)
            saved.blocks.push_back(std::move(s));
        else if (pass.training)
            saved.inputs.push_back(x);
        spare = x;
        x = y;
    }
    return x;
}

T5Stack::Saved T5Stack::forward(const Pass& pass, Out y, const Input& input,
                                const ForwardOptions& options, ForwardResult& result) const {
    const Intermediates intermediates(pass);
    const std::int64_t length = input.ids.size(0) / input.sequences;
    Saved s;
    s.ids = input.ids;
    s.biasShape = {biasTable_->shape[1], length, length};
    s.dropout = input.dropout.at(name_);
    const Tensor bias = pass.f32(s.biasShape);
    ops::relativeBiasForward(pass.backend, bias, biasTable_->value, buckets_);
    const Tensor x = pass.tensor({input.ids.size(0), embedding_->shape[1]});
    ops::embeddingForward(pass.backend, x, input.ids, embedding_->value);
    s.dropout.at("embedding").apply(pass, x);
    T5Block::Context& context = s.context;
    context.self = {input.sequences, bias, input.mask, !buckets_.bidirectional, {}};
    context.memory = input.memory;
    context.cross = {input.sequences, {}, input.memoryMask, false, {}};
    const auto perRow = [&](const Tensor& mask) {
        return mask.defined() ? mask.view({input.ids.size(0)}) : Tensor();
    };
    context.rows = {input.sequences, perRow(input.mask), perRow(input.hostMask)};
    context.dropout = input.dropout;
    s.norm = norm_.forward(pass, y, runBlocks(pass, x, context, options, result, s));
    s.dropout.at("output").apply(pass, y);
    return s;
}

T5Stack::Cache T5Stack::makeCache(const Pass& pass, Workspace& place, const Tensor& memory,
                                  const Tensor& memoryMask, std::int64_t inputs, std::int64_t rows,
                                  std::int64_t steps) const {
    Cache cache;
    cache.memoryMask = memoryMask;
    cache.inputs = inputs;
    for (const T5Block& block : blocks_)
        cache.blocks.push_back(block.makeCache(pass, place, memory, inputs, rows, steps));
    return cache;
}

void T5Stack::step(const Pass& pass, Out y, const Tensor& ids, Cache& cache) const {
    const Workspace::Scope scope(pass.workspace);
    const std::int64_t rows = ids.size(0);
    const Tensor bias = pass.f32({biasTable_->shape[1], 1, cache.steps + 1});
    RelativeBuckets buckets = buckets_;
    buckets.queryOffset = cache.steps;
    ops::relativeBiasForward(pass.backend, bias, biasTable_->value, buckets);
    Tensor x = pass.tensor({rows, embedding_->shape[1]});
    Tensor next = pass.tensor(x.shape());
    ops::embeddingForward(pass.backend, x, ids, embedding_->value);
    T5Block::Context context;
    context.self = {rows, bias, {}, false, {}};
    context.cross = {cache.inputs, {}, cache.memoryMask, false, {}};
    context.rows = {rows, {}, {}, true};
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        blocks_[i].step(pass, next, x, cache.blocks[i], context);
        std::swap(x, next);
    }
    norm_.forward(pass, y, x);
    ++cache.steps;
}

void T5Stack::backwardBlock(const Pass& pass, const Saved& s, std::size_t block, InOut dy,
                            const T5Block::Shared& shared, float dAux, float dZ) const {
    if (s.inputs.empty())
        return blocks_[block].backwardInPlace(pass, s.blocks[block], dy, shared, dAux, dZ);
    const Workspace::Scope scope(pass.workspace);
    const Pass again = pass.shownInWorkspace();
    const Tensor& x = s.inputs[block];
    const T5Block::Saved saved =
        blocks_[block].forward(again, again.tensor(x.shape()), x, s.context, {});
    blocks_[block].backwardInPlace(again, saved, dy, shared, dAux, dZ);
}

void T5Stack::backward(const Pass& pass, const Saved& s, InOut dy, InOut dMemory, float dAux,
                       float dZ) const {
    const Workspace::Scope scope(pass.workspace);
    const T5Block::Shared shared{pass.f32(s.biasShape), dMemory};
    ops::fill(pass.backend, shared.bias, 0.0F);
    s.dropout.at("output").apply(pass, dy);
    norm_.backward(pass, dy, s.norm, dy);
    for (std::size_t i = blocks_.size(); i-- > 0;) backwardBlock(pass, s, i, dy, shared, dAux, dZ);
    s.dropout.at("embedding").apply(pass, dy);
    ops::embeddingBackward(pass.backend, embedding_->gradient, dy, s.ids);
    ops::relativeBiasBackward(pass.backend, biasTable_->gradient, shared.bias, buckets_);
}

}  // namespace core
