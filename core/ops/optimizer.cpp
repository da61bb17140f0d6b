// SPDX-License-Identifier: Apache-2.0
#include "core/ops/optimizer.h"

#include "core/ops/check_internal.h"

namespace core::ops {

void stepScale(Backend& backend, Out scale, const Tensor& squares, const Tensor& losses,
               double clip) {
    constexpr const char* kOp = "stepScale";
    requireTensor(kOp, "scale", scale, DType::F32, {1});
    requireTensor(kOp, "squares", squares, DType::F64, {1});
    requireTensor(kOp, "losses", losses, DType::F64, {losses.elements()});
    require(kOp, clip >= 0, "clip is not negative");
    backend.stepScale(scale, squares, losses, clip);
}

void adamwStep(Backend& backend, InOut weight, InOut m, InOut v, const Tensor& gradient,
               const Tensor& scale, const AdamWArgs& args) {
    constexpr const char* kOp = "adamwStep";
    requireF32(kOp, "weight", weight);
    requireLike(kOp, "m", m, weight);
    requireLike(kOp, "v", v, weight);
    requireLike(kOp, "gradient", gradient, weight);
    requireTensor(kOp, "scale", scale, DType::F32, {1});
    require(kOp, args.step >= 1, "step counts from 1");
    backend.adamwStep(weight, m, v, gradient, scale, args);
}

void sgdStep(Backend& backend, InOut weight, InOut momentum, const Tensor& gradient,
             const Tensor& scale, const SgdArgs& args) {
    constexpr const char* kOp = "sgdStep";
    requireF32(kOp, "weight", weight);
    requireLike(kOp, "momentum", momentum, weight);
    requireLike(kOp, "gradient", gradient, weight);
    requireTensor(kOp, "scale", scale, DType::F32, {1});
    backend.sgdStep(weight, momentum, gradient, scale, args);
}

void adafactorStep(Backend& backend, InOut weight, InOut rowMoment, InOut columnMoment,
                   InOut fullMoment, const Tensor& gradient, const Tensor& scale,
                   const AdafactorArgs& args) {
    constexpr const char* kOp = "adafactorStep";
    requireF32(kOp, "weight", weight);
    requireLike(kOp, "gradient", gradient, weight);
    requireTensor(kOp, "scale", scale, DType::F32, {1});
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
    backend.adafactorStep(weight, rowMoment, columnMoment, fullMoment, gradient, scale, args);
}

}  // namespace core::ops
