// SPDX-License-Identifier: Apache-2.0
#include "core/model/moe_mlp.h"

#include "core/ops/elementwise.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/moe.h"

namespace core {
namespace {

Tensor valueOf(const Parameter* parameter) {
    return parameter == nullptr ? Tensor() : parameter->value;
}

Tensor gradientOf(const Parameter* parameter) {
    return parameter == nullptr ? Tensor() : parameter->gradient;
}

}  // namespace

MoeMlp::MoeMlp(const Router& router, const Experts& experts, Activation activation)
    : router_(router), experts_(experts), inner_{activation} {}

MoeMlp::Saved MoeMlp::forward(const Pass& pass, Out y, const Tensor& x, const TokenRows& rows,
                              const Dropout& dropout) const {
    const Intermediates intermediates(pass);
    Saved s;
    s.x = x;
    s.routing = router_.forward(pass, x, rows);
    const Assignment& a = s.routing.assignment;
    s.inner = inner_.saved(pass, {a.slots(), experts_.upWeight->shape[1]},
                           experts_.gateWeight != nullptr, dropout);
    s.slotOutputs = pass.tensor({a.slots(), x.size(1)});
    const Tensor& slotInputs = s.slotOutputs;  // one after the other in the same place
    ops::dispatchForward(pass.backend, slotInputs, x, a);
    const Tensor& up = experts_.upWeight->in(x.dtype());
    if (experts_.gateWeight != nullptr) {
        ops::groupedLinearForward(pass.backend, s.inner.before, slotInputs, up,
                                  valueOf(experts_.upBias), a);
        ops::groupedLinearForward(pass.backend, s.inner.gate, slotInputs,
                                  experts_.gateWeight->in(x.dtype()), {}, a);
        inner_.forward(pass, s.inner);
    } else {
        ops::groupedLinearActivationForward(pass.backend, s.inner.after, s.inner.before, slotInputs,
                                            up, valueOf(experts_.upBias), a, inner_.activation);
        dropout.apply(pass, s.inner.after);
    }
    ops::groupedLinearForward(pass.backend, s.slotOutputs, s.inner.after,
                              experts_.downWeight->in(x.dtype()), valueOf(experts_.downBias), a);
    ops::combineForward(pass.backend, y, s.slotOutputs, s.routing.weights, a);
    return s;
}

void MoeMlp::backward(const Pass& pass, Out dx, const Saved& s, const Tensor& dy, float dAux,
                      float dZ) const {
    const Assignment& a = s.routing.assignment;
    const Workspace::Scope scope(pass.workspace);
    const Tensor dSlots = pass.tensor(s.slotOutputs.shape());
    const Tensor dWeights = pass.f32(s.routing.weights.shape());
    const Tensor dInner = pass.tensor(s.inner.before.shape());
    const Tensor dGate = s.inner.gate.defined() ? pass.tensor(dInner.shape()) : Tensor();
    const Tensor throughRouter = pass.tensor(s.x.shape());
    ops::combineBackward(pass.backend, dSlots, dWeights, dy, s.slotOutputs, s.routing.weights, a);
    ops::groupedLinearBackwardWeight(pass.backend, experts_.downWeight->gradient,
                                     gradientOf(experts_.downBias), dSlots, s.inner.after, a);
    const Tensor& down = experts_.downWeight->in(dy.dtype());
    if (Gate::isPlain(s.inner)) {
        ops::groupedLinearActivationBackwardData(pass.backend, dInner, dSlots, down, s.inner.before,
                                                 a, inner_.activation);
    } else {
        ops::groupedLinearBackwardData(pass.backend, dInner, dSlots, down, a);
        inner_.backward(pass, dInner, dGate, s.inner);
    }
    const Tensor& slotInputs = s.slotOutputs;  // gathered again: cheaper than keeping both
    ops::dispatchForward(pass.backend, slotInputs, s.x, a);
    ops::groupedLinearBackwardWeight(pass.backend, experts_.upWeight->gradient,
                                     gradientOf(experts_.upBias), dInner, slotInputs, a);
    ops::groupedLinearBackwardData(pass.backend, dSlots, dInner, experts_.upWeight->in(dy.dtype()),
                                   a);
    if (dGate.defined()) {
        ops::groupedLinearBackwardWeight(pass.backend, experts_.gateWeight->gradient, {}, dGate,
                                         slotInputs, a);
        const Tensor& throughGate = slotInputs;
        ops::groupedLinearBackwardData(pass.backend, throughGate, dGate,
                                       experts_.gateWeight->in(dy.dtype()), a);
        ops::accumulate(pass.backend, dSlots, throughGate);
    }
    ops::dispatchBackward(pass.backend, dx, dSlots, a);
    router_.backward(pass, throughRouter, s.routing, s.x, dWeights, dAux, dZ);
    ops::accumulate(pass.backend, dx, throughRouter);
}

}  // namespace core
