// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ops/reduce.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

namespace core {

struct Trainer::Totals {
    double loss = 0, auxLoss = 0, zLoss = 0;
};

Trainer::Trainer(Model& model, BatchSource& batches, const TrainerSpec& spec,
                 std::int64_t startStep)
    : model_(model),
      batches_(batches),
      spec_(spec),
      optimizer_(makeOptimizer(spec.optimizer, model.parameters(), model.sharedBackend())),
      deviceBatch_(model.backend()),
      step_(startStep) {}

StepMetrics Trainer::step(bool observeRouters) {
    const auto begin = std::chrono::steady_clock::now();
    const std::optional<HostBatch> batch = batches_.next();
    CORE_CHECK(batch.has_value(), "a training source never ends");
    const std::int64_t examples = batch->labels.size(0);
    const std::int64_t counted = countLabels(batch->labels, 0, examples);
    const std::int64_t microbatch = spec_.microbatch > 0 ? spec_.microbatch : examples;

    Totals totals;
    routers_.clear();
    model_.zeroGradients();
    for (std::int64_t first = 0; first < examples; first += microbatch)
        accumulate(*batch, first, std::min(first + microbatch, examples), counted, observeRouters,
                   totals);

    StepMetrics metrics;
    metrics.loss = totals.loss;
    metrics.auxLoss = totals.auxLoss;
    metrics.zLoss = totals.zLoss;
    metrics.lr = learningRate(spec_.schedule, step_, spec_.steps);
    metrics.gradNorm = gradientNorm();
    metrics.examples = examples;
    metrics.tokens = tokensIn(*batch, model_.spec());
    metrics.applied = std::isfinite(totals.loss) && std::isfinite(totals.auxLoss) &&
                      std::isfinite(totals.zLoss) && std::isfinite(metrics.gradNorm);
    if (metrics.applied) {
        const bool clips = spec_.clip > 0 && metrics.gradNorm > spec_.clip;
        optimizer_->update(model_.parameters(), metrics.lr,
                           clips ? spec_.clip / metrics.gradNorm : 1.0,
                           spec_.schedule.startStep + step_);
        refreshCopies(model_.parameters(), model_.backend());
    }
    metrics.step = ++step_;
    metrics.routers = routers_.stats();
    model_.backend().synchronize();
    metrics.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return metrics;
}

void Trainer::accumulate(const HostBatch& batch, std::int64_t begin, std::int64_t end,
                         std::int64_t counted, bool observeRouters, Totals& totals) {
    const Batch device = deviceBatch_.upload(batch, begin, end);
    ForwardOptions options;
    options.loss = spec_.loss;
    options.training = true;
    options.recompute = spec_.recompute;
    options.dropout = spec_.dropout;
    options.seed =
        hashName(spec_.seed, "dropout " + std::to_string(step_) + "." + std::to_string(begin));
    const ForwardResult result = model_.forward(device, options);
    const double share =
        counted > 0 ? static_cast<double>(result.counted) / static_cast<double>(counted) : 0.0;
    totals.loss += share * result.loss;
    totals.auxLoss += share * result.auxLoss;
    totals.zLoss += share * result.zLoss;
    if (observeRouters)
        for (const RouterObservation& router : result.routers)
            routers_.add(router, model_.backend());
    model_.backward(static_cast<float>(share));
}

double Trainer::gradientNorm() {
    std::vector<Tensor> gradients;
    for (const Parameter& parameter : model_.parameters()) gradients.push_back(parameter.gradient);
    return std::sqrt(ops::sumOfSquares(model_.backend(), gradients));
}

}  // namespace core
