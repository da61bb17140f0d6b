// SPDX-License-Identifier: Apache-2.0
#include "core/ops/optimizer.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void adamwStep(Backend& backend, InOut weight, InOut m, InOut v, const Tensor& gradient,
               const AdamWArgs& args) {
    constexpr const char* kOp = "adamwStep";
    requireF32(kOp, "weight", weight);
    requireLike(kOp, "m", m, weight);
    requireLike(kOp, "v", v, weight);
    requireLike(kOp, "gradient", gradient, weight);
    require(kOp, args.step >= 1, "step counts from 1");
    backend.adamwStep(weight, m, v, gradient, args);
}

void sgdStep(Backend& backend, InOut weight, InOut momentum, const Tensor& gradient,
             const SgdArgs& args) {
    constexpr const char* kOp = "sgdStep";
    requireF32(kOp, "weight", weight);
    requireLike(kOp, "momentum", momentum, weight);
    requireLike(kOp, "gradient", gradient, weight);
    backend.sgdStep(weight, momentum, gradient, args);
}

void adafactorStep(Backend& backend, InOut weight, InOut rowMoment, InOut columnMoment,
                   InOut fullMoment, const Tensor& gradient, const AdafactorArgs& args) {
    constexpr const char* kOp = "adafactorStep";
    requireF32(kOp, "weight", weight);
    requireLike(kOp, "gradient", gradient, weight);
    require(kOp, args.step >= 0, "step counts from 0");
    require(kOp,
            args.batch >= 1 && args.rows >= 1 && args.columns >= 1 &&
                args.batch * args.rows * args.columns == weight.elements(),
            "batch x rows x columns is not the size of " + weight.describe());
    if (args.factored) {
        requireTensor(kOp, "rowMoment", rowMoment, DType::F32, {args.batch, args.rows});
        requireTensor(kOp, "columnMoment", columnMoment, DType::F32, {args.batch, args.columns});
    } else {
        requireLike(kOp, "fullMoment", fullMoment, weight);
    }
    backend.adafactorStep(weight, rowMoment, columnMoment, fullMoment, gradient, args);
}

}  // namespace core::ops
