// SPDX-License-Identifier: Apache-2.0
#include "core/model/linear.h"

#include "core/ops/linear.h"

namespace core {

Linear::Linear(const Parameter& weight, const Parameter* bias) : weight_(&weight), bias_(bias) {}

Shape Linear::matrix() const { return {outputs(), weight_->shape.elements() / outputs()}; }

void Linear::forward(const Pass& pass, Out y, const Tensor& x) const {
    ops::linearForward(pass.backend, y, x, weight_->value.view(matrix()),
                       bias_ == nullptr ? Tensor() : bias_->value);
}

void Linear::backward(const Pass& pass, Out dx, const Tensor& x, const Tensor& dy) const {
    backwardWeight(pass, x, dy);
    ops::linearBackwardData(pass.backend, dx, dy, weight_->value.view(matrix()));
}

void Linear::backwardWeight(const Pass& pass, const Tensor& x, const Tensor& dy) const {
    ops::linearBackwardWeight(pass.backend, weight_->gradient.view(matrix()),
                              bias_ == nullptr ? Tensor() : bias_->gradient, dy, x);
}

}  // namespace core
