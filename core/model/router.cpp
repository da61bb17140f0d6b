// SPDX-License-Identifier: Apache-2.0
#include "core/model/router.h"

#include "core/ops/memory.h"
#include "core/ops/routing.h"
#include "core/ops/softmax.h"

#include <algorithm>

namespace core {

RoutingGroups routingGroups(const GroupSize& group, std::int64_t tokens, const TokenRows& rows) {
    const std::int64_t size = group.kind == GroupSize::Kind::Batch      ? tokens
                              : group.kind == GroupSize::Kind::Sequence ? tokens / rows.sequences
                                                                        : group.tokens;
    RoutingGroups groups;
    groups.mask = rows.mask;
    for (std::int64_t begin = 0; begin < tokens; begin += size) groups.begins.push_back(begin);
    groups.begins.push_back(tokens);
    if (rows.mask.defined() && rows.hostMask.defined()) {
        const auto mask = rows.hostMask.span<std::uint8_t>();
        for (std::size_t g = 1; g < groups.begins.size(); ++g)
            groups.realTokens.push_back(std::count_if(mask.begin() + groups.begins[g - 1],
                                                      mask.begin() + groups.begins[g],
                                                      [](std::uint8_t real) { return real != 0; }));
    }
    return groups;
}

TopKRule topKRule(const MoeSpec& moe, bool causal) {
    const TopKPlacement placement = causal              ? TopKPlacement::TokenOrder
                                    : moe.batchPriority ? TopKPlacement::BatchPriority
                                                        : TopKPlacement::ChoicesFirst;
    return {moe.k, moe.capacity, moe.dropless, placement, moe.fixedSlots};
}

Router::Router(const Linear& classifier, const MoeSpec& moe, bool causal)
    : classifier_(classifier), moe_(moe), causal_(causal) {}

bool Router::softmaxOverChosen() const {
    return moe_.router == RouterKind::TopK && moe_.order == TopKOrder::TopKSoftmax;
}

Routing Router::forward(const Pass& pass, const Tensor& x, const TokenRows& rows) const {
    const Shape table{x.size(0), moe_.experts};
    Routing r;
    r.groups = routingGroups(moe_.group, x.size(0), rows);
    r.logits = pass.f32(table);
    r.probabilities = pass.shown.allocate(table);
    r.sums = pass.f32({x.size(0)});
    {
        const Workspace::Scope scope(pass.workspace);
        classifier_.forward(pass, r.logits, pass.inF32(x));
    }
    ops::softmaxForward(pass.backend, r.probabilities, r.logits);
    if (moe_.router == RouterKind::TopK) {
        TopKRule rule = topKRule(moe_, causal_);
        if (rows.unlimited) {
            rule.dropless = true;
            rule.fixedSlots = 0;
        }
        r.assignment = ops::topK(pass.backend, r.probabilities, r.groups, rule);
        r.auxLoss = pass.shown.allocate({1}, DType::F64);
        ops::balanceLossForward(pass.backend, r.auxLoss, r.probabilities, r.groups, r.assignment);
    } else {
        r.assignment = ops::expertChoice(pass.backend, r.probabilities, r.groups, moe_.capacity);
    }
    r.weights = pass.shown.allocate({r.assignment.slots()});
    ops::combineWeightsForward(pass.backend, r.weights, r.sums, r.probabilities, r.assignment,
                               softmaxOverChosen(), moe_.renormalize);
    r.zLoss = pass.shown.allocate({1}, DType::F64);
    ops::zLossForward(pass.backend, r.zLoss, r.logits, r.groups.mask);
    return r;
}

void Router::backward(const Pass& pass, Out dx, const Routing& r, const Tensor& x,
                      const Tensor& dWeights, float dAux, float dZ) const {
    const Workspace::Scope scope(pass.workspace);
    const Tensor d = pass.f32(r.logits.shape());
    ops::fill(pass.backend, d, 0.0F);
    ops::combineWeightsBackward(pass.backend, d, dWeights, r.weights, r.sums, r.probabilities,
                                r.assignment, softmaxOverChosen(), moe_.renormalize);
    if (moe_.router == RouterKind::TopK && dAux != 0.0F)
        ops::balanceLossBackward(pass.backend, d, r.groups, r.assignment, dAux);
    ops::softmaxBackward(pass.backend, d, d, r.probabilities);
    if (dZ != 0.0F) ops::zLossBackward(pass.backend, d, r.logits, r.groups.mask, dZ);
    if (dx.dtype() == DType::F32) return classifier_.backward(pass, dx, x, d);
    const Tensor exact = pass.f32(dx.shape());
    classifier_.backward(pass, exact, pass.inF32(x), d);
    ops::copy(pass.backend, dx, exact);
}

}  // namespace core
