// SPDX-License-Identifier: Apache-2.0
#include "core/ops/linear.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void linearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                   const Tensor& bias) {
    constexpr const char* kOp = "linearForward";
    const DType type = requireActivations(kOp, "x", x, {"m", "in"});
    requireTensor(kOp, "weight", weight, type, {"out", x.size(1)});
    requireTensorOrNone(kOp, "bias", bias, DType::F32, {weight.size(0)});
    requireTensor(kOp, "y", y, type, {x.size(0), weight.size(0)});
    backend.linearForward(y, x, weight, bias);
}

void linearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight) {
    constexpr const char* kOp = "linearBackwardData";
    const DType type = requireActivations(kOp, "weight", weight, {"out", "in"});
    requireTensor(kOp, "dy", dy, type, {"m", weight.size(0)});
    requireTensor(kOp, "dx", dx, type, {dy.size(0), weight.size(1)});
    backend.linearBackwardData(dx, dy, weight);
}

void linearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                          const Tensor& x) {
    constexpr const char* kOp = "linearBackwardWeight";
    const DType type = requireActivations(kOp, "x", x, {"m", "in"});
    requireTensor(kOp, "dy", dy, type, {x.size(0), "out"});
    requireTensor(kOp, "dWeight", dWeight, DType::F32, {dy.size(1), x.size(1)});
    requireTensorOrNone(kOp, "dBias", dBias, DType::F32, {dy.size(1)});
    backend.linearBackwardWeight(dWeight, dBias, dy, x);
}

void linearActivationForward(Backend& backend, Out y, Out before, const Tensor& x,
                             const Tensor& weight, const Tensor& bias, Activation kind) {
    constexpr const char* kOp = "linearActivationForward";
    const DType type = requireActivations(kOp, "x", x, {"m", "in"});
    requireTensor(kOp, "weight", weight, type, {"out", x.size(1)});
    requireTensorOrNone(kOp, "bias", bias, DType::F32, {weight.size(0)});
    requireTensor(kOp, "before", before, type, {x.size(0), weight.size(0)});
    requireLike(kOp, "y", y, before);
    require(kOp, kind == Activation::Relu || y.elements() == 0 || y.raw() != before.raw(),
            "y is before, which backward needs");
    backend.linearActivationForward(y, before, x, weight, bias, kind);
}

void linearActivationBackwardData(Backend& backend, Out dBefore, const Tensor& dy,
                                  const Tensor& weight, const Tensor& before, Activation kind) {
    constexpr const char* kOp = "linearActivationBackwardData";
    const DType type = requireActivations(kOp, "weight", weight, {"out", "in"});
    requireTensor(kOp, "dy", dy, type, {"m", weight.size(0)});
    requireTensor(kOp, "before", before, type, {dy.size(0), weight.size(1)});
    requireLike(kOp, "dBefore", dBefore, before);
    backend.linearActivationBackwardData(dBefore, dy, weight, before, kind);
}

}  // namespace core::ops
