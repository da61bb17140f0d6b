// SPDX-License-Identifier: Apache-2.0
#include "core/ops/cross_entropy.h"

#include "core/ops/check_internal.h"

namespace core::ops {
namespace {

void requireCase(const char* op, const Tensor& logits, const Tensor& labels, float labelSmoothing) {
    requireActivations(op, "logits", logits, {"m", "classes"});
    requireTensor(op, "labels", labels, DType::I64, {logits.size(0)});
    require(op, logits.size(1) >= 1, "logits have no classes");
    require(op, labelSmoothing >= 0.0F && labelSmoothing <= 1.0F,
            "label smoothing is not within 0 and 1");
}

}  // namespace

void softmaxCrossEntropyForward(Backend& backend, Out loss, Out logSumExp, const Tensor& logits,
                                const Tensor& labels, float labelSmoothing) {
    constexpr const char* kOp = "softmaxCrossEntropyForward";
    requireCase(kOp, logits, labels, labelSmoothing);
    requireTensor(kOp, "loss", loss, DType::F32, {logits.size(0)});
    requireTensor(kOp, "logSumExp", logSumExp, DType::F32, {logits.size(0)});
    backend.softmaxCrossEntropyForward(loss, logSumExp, logits, labels, labelSmoothing);
}

void softmaxCrossEntropyBackward(Backend& backend, Out dLogits, const Tensor& logits,
                                 const Tensor& logSumExp, const Tensor& labels,
                                 float labelSmoothing, float dLoss, float z) {
    constexpr const char* kOp = "softmaxCrossEntropyBackward";
    requireCase(kOp, logits, labels, labelSmoothing);
    requireTensor(kOp, "logSumExp", logSumExp, DType::F32, {logits.size(0)});
    requireLike(kOp, "dLogits", dLogits, logits);
    backend.softmaxCrossEntropyBackward(dLogits, logits, logSumExp, labels, labelSmoothing, dLoss,
                                        z);
}

void sigmoidCrossEntropyForward(Backend& backend, Out loss, const Tensor& logits,
                                const Tensor& labels, float labelSmoothing) {
    constexpr const char* kOp = "sigmoidCrossEntropyForward";
    requireCase(kOp, logits, labels, labelSmoothing);
    requireTensor(kOp, "loss", loss, DType::F32, {logits.size(0)});
    backend.sigmoidCrossEntropyForward(loss, logits, labels, labelSmoothing);
}

void sigmoidCrossEntropyBackward(Backend& backend, Out dLogits, const Tensor& logits,
                                 const Tensor& labels, float labelSmoothing, float dLoss) {
    constexpr const char* kOp = "sigmoidCrossEntropyBackward";
    requireCase(kOp, logits, labels, labelSmoothing);
    requireLike(kOp, "dLogits", dLogits, logits);
    backend.sigmoidCrossEntropyBackward(dLogits, logits, labels, labelSmoothing, dLoss);
}

}  // namespace core::ops
