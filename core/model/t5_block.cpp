// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5_block.h"

#include "core/ops/elementwise.h"
#include "core/ops/memory.h"

namespace core {
namespace {

/// y = x + dropout(attention(norm(x), memory or norm(x)))
T5Block::Sublayer attend(const Pass& pass, Out y, const Tensor& x, const T5Block::Attention& layer,
                         const Tensor& memory, T5Attention::View view, const Dropout& dropout) {
    const Intermediates intermediates(pass);
    const Tensor normed = pass.tensor(x.shape());
    view.dropout = dropout.at("probabilities");
    T5Block::Sublayer s;
    s.dropout = dropout.at("output");
    s.norm = layer.norm.forward(pass, normed, x);
    s.attention =
        layer.attention.forward(pass, y, normed, memory.defined() ? memory : normed, view);
    s.dropout.apply(pass, y);
    ops::add(pass.backend, y, y, x);
    return s;
}

void backwardAttend(const Pass& pass, InOut dy, const T5Block::Attention& layer,
                    const T5Block::Sublayer& s, InOut dMemory, InOut dBias) {
    const Workspace::Scope scope(pass.workspace);
    const Tensor d = pass.tensor(dy.shape());
    const Tensor dx = pass.tensor(dy.shape());
    ops::copy(pass.backend, d, dy);
    s.dropout.apply(pass, d);
    layer.attention.backward(pass, dx, dMemory, dBias, s.attention, d);
    layer.norm.backward(pass, dx, s.norm, dx);
    ops::accumulate(pass.backend, dy, dx);
}

}  // namespace

T5Block::T5Block(std::string name, const Attention& self, const std::optional<Attention>& cross,
                 const RmsNorm& norm, const FeedForward& mlp)
    : name_(std::move(name)), self_(self), cross_(cross), norm_(norm), mlp_(mlp) {}

T5Block::Saved T5Block::forward(const Pass& pass, Out y, const Tensor& x, const Context& context,
                                const MlpOutput& output) const {
    const Intermediates intermediates(pass);
    const Dropout dropout = context.dropout.at(name_);
    Saved s;
    Tensor middle = pass.tensor(x.shape());
    s.self = attend(pass, middle, x, self_, {}, context.self, dropout.at("self-attention"));
    if (cross_) {
        const Tensor next = pass.tensor(x.shape());
        s.cross = attend(pass, next, middle, *cross_, context.memory, context.cross,
                         dropout.at("cross-attention"));
        middle = next;
    }
    const Tensor normed = pass.tensor(x.shape());
    s.dropout = dropout.at("mlp");
    s.norm = norm_.forward(pass, normed, middle);
    s.mlp = mlp_.forward(pass, y, normed, context.rows, dropout.at("inner"));
    if (output.kept.defined()) ops::copy(pass.backend, output.kept, y);
    if (output.substitute.defined()) ops::copy(pass.backend, y, output.substitute);
    s.dropout.apply(pass, y);
    ops::add(pass.backend, y, y, middle);
    return s;
}

T5Block::Cache T5Block::makeCache(const Pass& pass, Workspace& place, const Tensor& memory,
                                  std::int64_t inputs, std::int64_t rows,
                                  std::int64_t steps) const {
    CORE_CHECK(cross_.has_value(), "a decoder's block");
    return {self_.attention.makeCache(pass, place, rows, steps),
            cross_->attention.remember(pass, place, memory, inputs)};
}

void T5Block::step(const Pass& pass, Out y, const Tensor& x, Cache& cache,
                   const Context& context) const {
    const Workspace::Scope scope(pass.workspace);
    const Tensor normed = pass.tensor(x.shape());
    const Tensor middle = pass.tensor(x.shape());
    self_.norm.forward(pass, normed, x);
    self_.attention.append(pass, cache.self, normed);
    self_.attention.attend(pass, middle, normed, cache.self, context.self);
    ops::add(pass.backend, middle, middle, x);
    cross_->norm.forward(pass, normed, middle);
    cross_->attention.attend(pass, y, normed, cache.cross, context.cross);
    ops::add(pass.backend, middle, middle, y);
    norm_.forward(pass, normed, middle);
    mlp_.forward(pass, y, normed, context.rows);
    ops::add(pass.backend, y, y, middle);
}

void T5Block::backwardInPlace(const Pass& pass, const Saved& s, InOut dy, const Shared& shared,
                              float dAux, float dZ) const {
    {
        const Workspace::Scope scope(pass.workspace);
        const Tensor d = pass.tensor(dy.shape());
        const Tensor dx = pass.tensor(dy.shape());
        ops::copy(pass.backend, d, dy);
        s.dropout.apply(pass, d);
        mlp_.backward(pass, dx, s.mlp, d, dAux, dZ);
        norm_.backward(pass, dx, s.norm, dx);
        ops::accumulate(pass.backend, dy, dx);
    }
    if (cross_) backwardAttend(pass, dy, *cross_, s.cross, shared.memory, {});
    backwardAttend(pass, dy, self_, s.self, {}, shared.bias);
}

}  // namespace core
