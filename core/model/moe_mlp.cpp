// SPDX-License-Identifier: Apache-2.0
#include "core/model/moe_mlp.h"

#include "core/ops/activation.h"
#include "core/ops/elementwise.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/moe.h"

namespace core {

MoeMlp::MoeMlp(const Router& router, const Experts& experts, Activation activation)
    : router_(router), experts_(experts), activation_(activation) {}

MoeMlp::Saved MoeMlp::forward(const Pass& pass, Out y, const Tensor& x,
                              std::int64_t sequences) const {
    const Intermediates intermediates(pass);
    Saved s;
    s.x = x;
    s.routing = router_.forward(pass, x, sequences);
    const Assignment& a = s.routing.assignment;
    s.before = pass.tensor({a.slots(), experts_.upWeight->shape[1]});
    s.after = pass.tensor(s.before.shape());
    s.slotOutputs = pass.tensor({a.slots(), x.size(1)});
    const Tensor& slotInputs = s.slotOutputs;  // one after the other in the same place
    ops::dispatchForward(pass.backend, slotInputs, x, a);
    ops::groupedLinearForward(pass.backend, s.before, slotInputs, experts_.upWeight->value,
                              experts_.upBias->value, a.offsets);
    ops::activationForward(pass.backend, s.after, s.before, activation_);
    ops::groupedLinearForward(pass.backend, s.slotOutputs, s.after, experts_.downWeight->value,
                              experts_.downBias->value, a.offsets);
    ops::combineForward(pass.backend, y, s.slotOutputs, s.routing.weights, a);
    return s;
}

void MoeMlp::backward(const Pass& pass, Out dx, const Saved& s, const Tensor& dy, float dAux,
                      float dZ) const {
    const Assignment& a = s.routing.assignment;
    const Workspace::Scope scope(pass.workspace);
    const Tensor dSlots = pass.tensor(s.slotOutputs.shape());
    const Tensor dWeights = pass.tensor(s.routing.weights.shape());
    const Tensor dInner = pass.tensor(s.before.shape());
    const Tensor throughRouter = pass.tensor(s.x.shape());
    ops::combineBackward(pass.backend, dSlots, dWeights, dy, s.slotOutputs, s.routing.weights, a);
    ops::groupedLinearBackwardWeight(pass.backend, experts_.downWeight->gradient,
                                     experts_.downBias->gradient, dSlots, s.after, a.offsets);
    ops::groupedLinearBackwardData(pass.backend, dInner, dSlots, experts_.downWeight->value,
                                   a.offsets);
    ops::activationBackward(pass.backend, dInner, dInner, s.before, activation_);
    const Tensor& slotInputs = s.slotOutputs;  // gathered again: cheaper than keeping both
    ops::dispatchForward(pass.backend, slotInputs, s.x, a);
    ops::groupedLinearBackwardWeight(pass.backend, experts_.upWeight->gradient,
                                     experts_.upBias->gradient, dInner, slotInputs, a.offsets);
    ops::groupedLinearBackwardData(pass.backend, dSlots, dInner, experts_.upWeight->value,
                                   a.offsets);
    ops::dispatchBackward(pass.backend, dx, dSlots, a);
    router_.backward(pass, throughRouter, s.routing, s.x, dWeights, dAux, dZ);
    ops::accumulate(pass.backend, dx, throughRouter);
}

}  // namespace core
