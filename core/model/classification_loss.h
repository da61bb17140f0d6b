// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/layer.h"
#include "core/model/model.h"

#include <cstdint>

namespace core {

/// Labels of a batch and how many of them count.
struct CountedLabels {
    Tensor device;  ///< I64 [m], or undefined
    Tensor host;    ///< a copy
    std::int64_t counted = 0;
};

/// Reads the labels from `onHost`, or else from the device, before anything that it would have to
/// be waited for. BadInput when one is neither -100 nor a class.
CountedLabels countLabels(Backend& backend, const Tensor& labels, const Tensor& onHost,
                          std::int64_t classes);

/// Mean cross-entropy of logits [m, classes] over the labels [m] that are not -100, and the z-loss
/// of the logits.
class ClassificationLoss {
  public:
    struct Saved {
        Tensor logits, labels, logSumExp;
        LossSpec spec;
        std::int64_t counted = 0;
        Tensor total{};  ///< F64 [1], the sum over counted rows; undefined when nothing is counted
    };
    static Saved forward(const Pass& pass, const Tensor& logits, const CountedLabels& labels,
                         const LossSpec& spec);
    /// The same as the end of a model's forward, with the routers' losses: told in `result`, unless
    /// that is for later; no cross-entropy without labels.
    static Saved finish(const Pass& pass, const Tensor& logits, const CountedLabels& labels,
                        const ForwardOptions& options, ForwardResult& result);
    /// dLogits = dLoss * d (loss + spec.logitZ * logitZLoss) / d logits.
    static void backward(const Pass& pass, Out dLogits, const Saved& saved, float dLoss);
};

}  // namespace core
