// SPDX-License-Identifier: Apache-2.0
#include "core/model/classification_loss.h"

#include "core/base/error.h"
#include "core/model/loss_reading.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/memory.h"
#include "core/ops/reduce.h"
#include "core/tensor/ignored_label.h"

#include <fmt/format.h>

namespace core {
namespace {

std::int64_t count(const Tensor& hostLabels, std::int64_t classes) {
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

CountedLabels countLabels(Backend& backend, const Tensor& labels, const Tensor& onHost,
                          std::int64_t classes) {
    if (!labels.defined()) return {};
    const Tensor host = onHost.defined() ? onHost : ops::readable(backend, labels);
    return {labels, host, count(host, classes)};
}

ClassificationLoss::Saved ClassificationLoss::forward(const Pass& pass, const Tensor& logits,
                                                      const CountedLabels& labels,
                                                      const LossSpec& spec) {
    Saved s{logits, labels.device, {}, spec, labels.counted, {}};
    const Tensor losses = pass.f32({logits.size(0)});
    if (spec.kind == LossKind::Softmax) {
        s.logSumExp = pass.f32({logits.size(0)});
        ops::softmaxCrossEntropyForward(pass.backend, losses, s.logSumExp, logits, s.labels,
                                        spec.labelSmoothing);
    } else {
        ops::sigmoidCrossEntropyForward(pass.backend, losses, logits, s.labels,
                                        spec.labelSmoothing);
    }
    if (s.counted > 0) {
        s.total = pass.workspace.allocate({1}, DType::F64);
        ops::sum(pass.backend, s.total, losses);
    }
    return s;
}

ClassificationLoss::Saved ClassificationLoss::finish(const Pass& pass, const Tensor& logits,
                                                     const CountedLabels& labels,
                                                     const ForwardOptions& options,
                                                     ForwardResult& result) {
    Saved saved;
    if (labels.device.defined()) saved = forward(pass, logits, labels, options.loss);
    saved.spec = options.loss;
    result.counted = saved.counted;
    result.lossThere = saved.total;
    if (options.lossesLater) return saved;
    readLosses(result, pass.backend);
    if (saved.counted > 0 && saved.logSumExp.defined())
        result.logitZLoss =
            sumOfSquares(labels.host, ops::readable(pass.backend, saved.logSumExp)) /
            static_cast<double>(saved.counted);
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
