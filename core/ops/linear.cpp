// SPDX-License-Identifier: Apache-2.0
#include "core/ops/linear.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void linearForward(Backend& backend, Out y, const Tensor& x, const Tensor& weight,
                   const Tensor& bias) {
    constexpr const char* kOp = "linearForward";
    requireTensor(kOp, "x", x, DType::F32, {"m", "in"});
    requireTensor(kOp, "weight", weight, DType::F32, {"out", x.size(1)});
    requireTensorOrNone(kOp, "bias", bias, DType::F32, {weight.size(0)});
    requireTensor(kOp, "y", y, DType::F32, {x.size(0), weight.size(0)});
    backend.linearForward(y, x, weight, bias);
}

void linearBackwardData(Backend& backend, Out dx, const Tensor& dy, const Tensor& weight) {
    constexpr const char* kOp = "linearBackwardData";
    requireTensor(kOp, "weight", weight, DType::F32, {"out", "in"});
    requireTensor(kOp, "dy", dy, DType::F32, {"m", weight.size(0)});
    requireTensor(kOp, "dx", dx, DType::F32, {dy.size(0), weight.size(1)});
    backend.linearBackwardData(dx, dy, weight);
}

void linearBackwardWeight(Backend& backend, InOut dWeight, InOut dBias, const Tensor& dy,
                          const Tensor& x) {
    constexpr const char* kOp = "linearBackwardWeight";
    requireTensor(kOp, "x", x, DType::F32, {"m", "in"});
    requireTensor(kOp, "dy", dy, DType::F32, {x.size(0), "out"});
    requireTensor(kOp, "dWeight", dWeight, DType::F32, {dy.size(1), x.size(1)});
    requireTensorOrNone(kOp, "dBias", dBias, DType::F32, {dy.size(1)});
    backend.linearBackwardWeight(dWeight, dBias, dy, x);
}

}  // namespace core::ops
