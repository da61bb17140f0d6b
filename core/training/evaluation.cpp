// SPDX-License-Identifier: Apache-2.0
#include "core/training/evaluation.h"

#include "core/ops/memory.h"
#include "core/training/device_batch.h"
#include "core/training/evaluation_internal.h"

#include <chrono>

namespace core {
namespace {

/// Whether `label` is the first of the largest logits; NaN is never right.
bool isRight(const float* row, std::int64_t classes, std::int64_t label) {
    for (std::int64_t c = 0; c < classes; ++c)
        if (c < label ? !(row[c] < row[label]) : !(row[c] <= row[label])) return false;
    return true;
}

std::int64_t countCorrect(const Tensor& logits, const Tensor& labels) {
    if (labels.elements() == 0) return 0;
    const std::int64_t classes = logits.elements() / labels.elements();
    const auto* row = logits.data<float>();
    std::int64_t correct = 0;
    for (const std::int64_t label : labels.span<std::int64_t>()) {
        if (label >= 0 && isRight(row, classes, label)) ++correct;
        row += classes;
    }
    return correct;
}

}  // namespace

BatchLoader orderedLoader(const ImageDataset& dataset, const LoaderOptions& options) {
    return {std::shared_ptr<const ImageDataset>(std::shared_ptr<void>(), &dataset),
            inOrder(options),
            {}};
}

EvalResult evaluate(Model& model, const ImageDataset& dataset, const LoaderOptions& options,
                    const LossSpec& loss, const std::atomic<bool>* cancel) {
    if (cancel != nullptr && cancel->load()) return {};
    return evaluate(model, dataset, options, loss,
                    [cancel](std::int64_t) { return cancel == nullptr || !cancel->load(); });
}

EvalResult evaluate(Model& model, const ImageDataset& dataset, const LoaderOptions& options,
                    const LossSpec& loss, const std::function<bool(std::int64_t done)>& goOn) {
    BatchLoader loader = orderedLoader(dataset, options);
    return evaluate(model, loader, loss, goOn);
}

EvalResult evaluate(Model& model, BatchSource& batches, const LossSpec& loss,
                    const std::function<bool(std::int64_t done)>& goOn) {
    const auto begin = std::chrono::steady_clock::now();
    DeviceBatch deviceBatch(model.backend());
    RouterStatsAccumulator routers;
    ForwardOptions forwardOptions;
    forwardOptions.loss = loss;
    EvalResult result;
    std::int64_t counted = 0;
    std::int64_t correct = 0;
    double lossSum = 0;
    std::optional<HostBatch> batch = batches.next();
    while (batch) {
        const std::int64_t examples = batch->labels.size(0);
        const ForwardResult forward =
            model.forward(deviceBatch.upload(*batch, 0, examples), forwardOptions);
        result.examples += examples;
        counted += forward.counted;
        lossSum += forward.loss * static_cast<double>(forward.counted);
        correct += countCorrect(ops::hostFloats(model.backend(), forward.logits), batch->labels);
        for (const RouterObservation& router : forward.routers)
            routers.add(router, model.backend());
        batch = batches.next();
        if (batch && !goOn(result.examples)) break;
    }
    if (counted > 0) {
        result.loss = lossSum / static_cast<double>(counted);
        result.accuracy = static_cast<double>(correct) / static_cast<double>(counted);
    }
    result.routers = routers.stats();
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
}

}  // namespace core
