// SPDX-License-Identifier: Apache-2.0
#include "core/model/classification_loss.h"

#include "core/base/error.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/memory.h"
#include "core/ops/reduce.h"
#include "core/tensor/ignored_label.h"

#include <fmt/format.h>

namespace core {
namespace {

std::int64_t countLabels(const Tensor& hostLabels, std::int64_t classes) {
    std::int64_t counted = 0;
    for (const std::int64_t label : hostLabels.span<std::int64_t>()) {
        if (label == kIgnoredLabel) continue;
        if (label < 0 || label >= classes)
            throw Error(ErrorKind::BadInput,
                        fmt::format("the label {} of a batch is no class of the model, expected 0 "
                                    "to {} (or {} = ignored)",
                                    label, classes - 1, kIgnoredLabel),
                        "use data whose classes the model has");
        ++counted;
    }
    return counted;
}

double sumOfSquares(const Tensor& hostLabels, const Tensor& hostLogSumExp) {
    double sum = 0;
    for (std::int64_t i = 0; i < hostLabels.elements(); ++i) {
        const auto value = static_cast<double>(hostLogSumExp.data<float>()[i]);
        if (hostLabels.data<std::int64_t>()[i] != kIgnoredLabel) sum += value * value;
    }
    return sum;
}

}  // namespace

ClassificationLoss::Saved ClassificationLoss::forward(const Pass& pass, const Tensor& logits,
                                                      const Tensor& labels, const LossSpec& spec) {
    const Tensor hostLabels = ops::readable(pass.backend, labels);
    Saved s{logits, labels, {}, spec, countLabels(hostLabels, logits.size(1)), 0, 0};
    const Tensor losses = pass.f32({logits.size(0)});
    if (spec.kind == LossKind::Softmax) {
        s.logSumExp = pass.f32({logits.size(0)});
        ops::softmaxCrossEntropyForward(pass.backend, losses, s.logSumExp, logits, labels,
                                        spec.labelSmoothing);
        if (s.counted > 0)
            s.logitZLoss = sumOfSquares(hostLabels, ops::readable(pass.backend, s.logSumExp)) /
                           static_cast<double>(s.counted);
    } else {
        ops::sigmoidCrossEntropyForward(pass.backend, losses, logits, labels, spec.labelSmoothing);
    }
    if (s.counted > 0) s.loss = ops::sum(pass.backend, losses) / static_cast<double>(s.counted);
    return s;
}

ClassificationLoss::Saved ClassificationLoss::forward(const Pass& pass, const Tensor& logits,
                                                      const Tensor& labels, const LossSpec& spec,
                                                      ForwardResult& result) {
    Saved saved;
    if (labels.defined()) saved = forward(pass, logits, labels, spec);
    saved.spec = spec;
    result.counted = saved.counted;
    result.loss = saved.loss;
    result.logitZLoss = saved.logitZLoss;
    return saved;
}

void ClassificationLoss::backward(const Pass& pass, Out dLogits, const Saved& s, float dLoss) {
    const float each = s.counted == 0 ? 0.0F : dLoss / static_cast<float>(s.counted);
    if (s.spec.kind == LossKind::Softmax)
        ops::softmaxCrossEntropyBackward(pass.backend, dLogits, s.logits, s.logSumExp, s.labels,
                                         s.spec.labelSmoothing, each, s.spec.logitZ);
    else
        ops::sigmoidCrossEntropyBackward(pass.backend, dLogits, s.logits, s.labels,
                                         s.spec.labelSmoothing, each);
}

}  // namespace core
