// SPDX-License-Identifier: Apache-2.0
#include "core/ops/layer_norm.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void layerNormForward(Backend& backend, Out y, Out mean, Out rstd, const Tensor& x,
                      const Tensor& gamma, const Tensor& beta, float epsilon) {
    constexpr const char* kOp = "layerNormForward";
    requireActivations(kOp, "x", x, {"m", "d"});
    requireTensor(kOp, "gamma", gamma, DType::F32, {x.size(1)});
    requireTensor(kOp, "beta", beta, DType::F32, {x.size(1)});
    requireTensor(kOp, "mean", mean, DType::F32, {x.size(0)});
    requireTensor(kOp, "rstd", rstd, DType::F32, {x.size(0)});
    requireLike(kOp, "y", y, x);
    backend.layerNormForward(y, mean, rstd, x, gamma, beta, epsilon);
}

void layerNormBackward(Backend& backend, Out dx, InOut dGamma, InOut dBeta, const Tensor& dy,
                       const Tensor& x, const Tensor& mean, const Tensor& rstd,
                       const Tensor& gamma) {
    constexpr const char* kOp = "layerNormBackward";
    requireActivations(kOp, "x", x, {"m", "d"});
    requireLike(kOp, "dy", dy, x);
    requireLike(kOp, "dx", dx, x);
    requireTensor(kOp, "gamma", gamma, DType::F32, {x.size(1)});
    requireTensor(kOp, "dGamma", dGamma, DType::F32, {x.size(1)});
    requireTensor(kOp, "dBeta", dBeta, DType::F32, {x.size(1)});
    requireTensor(kOp, "mean", mean, DType::F32, {x.size(0)});
    requireTensor(kOp, "rstd", rstd, DType::F32, {x.size(0)});
    backend.layerNormBackward(dx, dGamma, dBeta, dy, x, mean, rstd, gamma);
}

}  // namespace core::ops
