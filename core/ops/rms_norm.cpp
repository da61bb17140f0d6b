// SPDX-License-Identifier: Apache-2.0
#include "core/ops/rms_norm.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void rmsNormForward(Backend& backend, Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                    float epsilon) {
    constexpr const char* kOp = "rmsNormForward";
    requireActivations(kOp, "x", x, {"m", "d"});
    requireTensor(kOp, "gamma", gamma, DType::F32, {x.size(1)});
    requireTensor(kOp, "rstd", rstd, DType::F32, {x.size(0)});
    requireLike(kOp, "y", y, x);
    backend.rmsNormForward(y, rstd, x, gamma, epsilon);
}

void rmsNormBackward(Backend& backend, Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                     const Tensor& rstd, const Tensor& gamma) {
    constexpr const char* kOp = "rmsNormBackward";
    requireActivations(kOp, "x", x, {"m", "d"});
    requireLike(kOp, "dy", dy, x);
    requireLike(kOp, "dx", dx, x);
    requireTensor(kOp, "gamma", gamma, DType::F32, {x.size(1)});
    requireTensor(kOp, "dGamma", dGamma, DType::F32, {x.size(1)});
    requireTensor(kOp, "rstd", rstd, DType::F32, {x.size(0)});
    backend.rmsNormBackward(dx, dGamma, dy, x, rstd, gamma);
}

}  // namespace core::ops
