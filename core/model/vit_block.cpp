// SPDX-License-Identifier: Apache-2.0
#include "core/model/vit_block.h"

#include "core/ops/elementwise.h"
#include "core/ops/memory.h"

namespace core {

VitBlock::VitBlock(std::string name, const LayerNorm& before, const SelfAttention& attention,
                   const LayerNorm& after, const FeedForward& mlp)
    : name_(std::move(name)), before_(before), attention_(attention), after_(after), mlp_(mlp) {}

VitBlock::Saved VitBlock::forward(const Pass& pass, Out y, const Tensor& x, std::int64_t sequences,
                                  const MlpOutput& output) const {
    const Intermediates intermediates(pass);
    const Tensor middle = pass.tensor(x.shape());
    const Tensor normed = pass.tensor(x.shape());
    const Tensor normedAgain = pass.training ? pass.tensor(x.shape()) : normed;
    Saved s;
    s.before = before_.forward(pass, normed, x);
    s.attention = attention_.forward(pass, middle, normed, sequences);
    ops::add(pass.backend, middle, middle, x);
    s.after = after_.forward(pass, normedAgain, middle);
    s.mlp = mlp_.forward(pass, y, normedAgain, {sequences});
    if (output.kept.defined()) ops::copy(pass.backend, output.kept, y);
    ops::add(pass.backend, y, output.substitute.defined() ? output.substitute : y, middle);
    return s;
}

void VitBlock::backwardInPlace(const Pass& pass, const Saved& s, InOut dy, float dAux,
                               float dZ) const {
    const Workspace::Scope scope(pass.workspace);
    const Tensor d = pass.tensor(dy.shape());
    mlp_.backward(pass, d, s.mlp, dy, dAux, dZ);
    after_.backward(pass, d, s.after, d);
    ops::accumulate(pass.backend, dy, d);
    attention_.backward(pass, d, s.attention, dy);
    before_.backward(pass, d, s.before, d);
    ops::accumulate(pass.backend, dy, d);
}

}  // namespace core
