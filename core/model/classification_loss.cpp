// SPDX-License-Identifier: Apache-2.0
#include "core/model/classification_loss.h"

#include "core/base/error.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/reduce.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr std::int64_t kIgnored = -100;

std::int64_t countLabels(Backend& backend, const Tensor& labels, std::int64_t classes) {
    Tensor host = labels;
    if (!labels.onHost()) {
        host = Tensor::host(labels.shape(), labels.dtype());
        backend.download(host, labels);
    }
    std::int64_t counted = 0;
    for (const std::int64_t label : host.span<std::int64_t>()) {
        if (label == kIgnored) continue;
        if (label < 0 || label >= classes)
            throw Error(ErrorKind::BadInput,
                        fmt::format("the label {} of a batch is no class of the model, expected 0 "
                                    "to {} (or {} = ignored)",
                                    label, classes - 1, kIgnored),
                        "use data whose classes the model has");
        ++counted;
    }
    return counted;
}

}  // namespace

ClassificationLoss::Saved ClassificationLoss::forward(const Pass& pass, const Tensor& logits,
                                                      const Tensor& labels, const LossSpec& spec) {
    Saved s{logits, labels, {}, spec, countLabels(pass.backend, labels, logits.size(1)), 0};
    const Tensor losses = pass.tensor({logits.size(0)});
    if (spec.kind == LossKind::Softmax) {
        s.logSumExp = pass.tensor({logits.size(0)});
        ops::softmaxCrossEntropyForward(pass.backend, losses, s.logSumExp, logits, labels,
                                        spec.labelSmoothing);
    } else {
        ops::sigmoidCrossEntropyForward(pass.backend, losses, logits, labels, spec.labelSmoothing);
    }
    if (s.counted > 0) s.loss = ops::sum(pass.backend, losses) / static_cast<double>(s.counted);
    return s;
}

void ClassificationLoss::backward(const Pass& pass, Out dLogits, const Saved& s, float dLoss) {
    const float each = s.counted == 0 ? 0.0F : dLoss / static_cast<float>(s.counted);
    if (s.spec.kind == LossKind::Softmax)
        ops::softmaxCrossEntropyBackward(pass.backend, dLogits, s.logits, s.logSumExp, s.labels,
                                         s.spec.labelSmoothing, each);
    else
        ops::sigmoidCrossEntropyBackward(pass.backend, dLogits, s.logits, s.labels,
                                         s.spec.labelSmoothing, each);
}

}  // namespace core
