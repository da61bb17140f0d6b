// SPDX-License-Identifier: Apache-2.0
#include "core/model/linear.h"

#include "core/ops/linear.h"

namespace core {

Linear::Linear(const Parameter& weight, const Parameter* bias) : weight_(&weight), bias_(bias) {}

Tensor Linear::matrix(DType dtype) const {
    return weight_->in(dtype).view({outputs(), weight_->shape.elements() / outputs()});
}

Tensor Linear::bias() const { return bias_ == nullptr ? Tensor() : bias_->value; }

void Linear::forward(const Pass& pass, Out y, const Tensor& x) const {
    ops::linearForward(pass.backend, y, x, matrix(x.dtype()), bias());
}

void Linear::forward(const Pass& pass, Out y, Out before, const Tensor& x, Activation kind) const {
    ops::linearActivationForward(pass.backend, y, before, x, matrix(x.dtype()), bias(), kind);
}

void Linear::backward(const Pass& pass, Out dx, const Tensor& x, const Tensor& dy) const {
    backwardWeight(pass, x, dy);
    ops::linearBackwardData(pass.backend, dx, dy, matrix(dy.dtype()));
}

void Linear::backward(const Pass& pass, Out dBefore, const Tensor& x, const Tensor& dy,
                      const Tensor& before, Activation kind) const {
    backwardWeight(pass, x, dy);
    ops::linearActivationBackwardData(pass.backend, dBefore, dy, matrix(dy.dtype()), before, kind);
}

void Linear::backwardWeight(const Pass& pass, const Tensor& x, const Tensor& dy) const {
    ops::linearBackwardWeight(
        pass.backend, weight_->gradient.view({outputs(), weight_->shape.elements() / outputs()}),
        bias_ == nullptr ? Tensor() : bias_->gradient, dy, x);
}

}  // namespace core
