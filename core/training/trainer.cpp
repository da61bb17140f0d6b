// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ops/memory.h"
#include "core/ops/optimizer.h"
#include "core/ops/reduce.h"
#include "core/tensor/arena.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace core {
namespace {

/// Keys of Backend::section; a microbatch's is its number of examples.
constexpr std::uint64_t kUpdate = 0;
constexpr std::uint64_t kClear = ~std::uint64_t{0};

Tensor made(Backend& backend, const Shape& shape, DType dtype) {
    const auto bytes = static_cast<std::size_t>(shape.elements()) * dtypeBytes(dtype);
    return {backend.allocate(bytes), 0, shape, dtype};
}

}  // namespace

Trainer::Trainer(Model& model, BatchSource& batches, const TrainerSpec& spec,
                 std::int64_t startStep)
    : model_(model),
      batches_(batches),
      spec_(spec),
      optimizer_(makeOptimizer(spec.optimizer, model.parameters(), model.sharedBackend())),
      deviceBatch_(model.backend()),
      step_(startStep),
      scale_(made(model.backend(), {1}, DType::F32)) {}

StepMetrics Trainer::step(bool observeRouters) {
    CORE_CHECK(uncollected_.empty(), "metrics of earlier steps were collected");
    begin(observeRouters);
    return *collect(true);
}

void Trainer::begin(bool observeRouters) {
    Begun begun{.metrics = {}, .microbatches = {}, .numbers = {}, .at = Clock::now()};
    const std::optional<HostBatch> batch = batches_.next();
    CORE_CHECK(batch.has_value(), "a training source never ends");
    const std::int64_t examples = batch->labels.size(0);
    const std::int64_t counted = countLabels(batch->labels, 0, examples);
    const std::int64_t microbatch = spec_.microbatch > 0 ? spec_.microbatch : examples;

    reserveNumbers((examples + microbatch - 1) / microbatch);
    routers_.clear();
    model_.backend().section(kClear, [&] { model_.zeroGradients(); });
    std::size_t count = 1;
    for (std::int64_t first = 0; first < examples; first += microbatch) {
        const std::int64_t end = std::min(first + microbatch, examples);
        begun.microbatches.push_back(accumulate(deviceBatch_.upload(*batch, first, end), first,
                                                counted, observeRouters, count));
        count += begun.microbatches.back().losses.numbers();
    }
    StepMetrics& metrics = begun.metrics;
    metrics.lr = learningRate(spec_.schedule, step_, spec_.steps);
    metrics.examples = examples;
    metrics.tokens = tokensIn(*batch, model_.spec());
    metrics.routers = routers_.stats();
    model_.backend().section(kUpdate, [&] { update(metrics.lr, count); });
    begun.numbers = model_.backend().readBack(numbers(0, count));
    metrics.step = ++step_;
    uncollected_.push_back(std::move(begun));
}

std::optional<StepMetrics> Trainer::collect(bool wait) {
    if (uncollected_.empty() || (!wait && !uncollected_.front().numbers->ready())) return {};
    Begun begun = std::move(uncollected_.front());
    uncollected_.pop_front();
    const Tensor values = begun.numbers->take();
    const auto numbers = values.span<double>();
    StepMetrics& metrics = begun.metrics;
    metrics.gradNorm = std::sqrt(numbers.front());
    std::size_t at = 1;
    for (const auto& [losses, share] : begun.microbatches) {
        const LossReading::Losses read = losses.read(numbers.subspan(at, losses.numbers()));
        at += losses.numbers();
        metrics.loss += share * read.loss;
        metrics.auxLoss += share * read.auxLoss;
        metrics.zLoss += share * read.zLoss;
    }
    metrics.applied = std::all_of(numbers.begin(), numbers.end(),
                                  [](double number) { return std::isfinite(number); });
    const Clock::time_point end = Clock::now();
    metrics.seconds = std::chrono::duration<double>(end - std::max(begun.at, lastEnd_)).count();
    lastEnd_ = end;
    return metrics;
}

/// Forward and backward. Its losses go to the numbers from `firstNumber` on.
Trainer::Microbatch Trainer::accumulate(const Batch& batch, std::int64_t first,
                                        std::int64_t counted, bool observeRouters,
                                        std::size_t firstNumber) {
    ForwardOptions options;
    options.loss = spec_.loss;
    options.training = true;
    options.recompute = spec_.recompute;
    options.lossesLater = true;
    options.dropout = spec_.dropout;
    options.seed =
        hashName(spec_.seed, "dropout " + std::to_string(step_) + "." + std::to_string(first));
    std::optional<Microbatch> done;
    const auto compute = [&] {
        const ForwardResult result = model_.forward(batch, options);
        const double share =
            counted > 0 ? static_cast<double>(result.counted) / static_cast<double>(counted) : 0.0;
        done = Microbatch{LossReading(result), share};
        std::size_t at = firstNumber;
        for (const Tensor& loss : lossesThere(result)) {
            ops::copy(model_.backend(), numbers(at, at + 1), loss);
            ++at;
        }
        if (observeRouters)
            for (const RouterObservation& router : result.routers)
                routers_.add(router, model_.backend());
        model_.backward(static_cast<float>(share));
    };
    if (observeRouters)
        compute();
    else
        model_.backend().section(static_cast<std::uint64_t>(batch.labels.size(0)), compute);
    return *done;
}

void Trainer::update(double lr, std::size_t count) {
    std::vector<Tensor> gradients;
    for (const Parameter& parameter : model_.parameters()) gradients.push_back(parameter.gradient);
    Backend& backend = model_.backend();
    ops::sumOfSquares(backend, numbers(0, 1), joined(std::move(gradients)));
    ops::stepScale(backend, scale_, numbers(0, 1), numbers(1, count), spec_.clip);
    optimizer_->update(model_.parameters(), lr, scale_, spec_.schedule.startStep + step_);
    refreshCopies(model_.parameters(), backend);
}

Tensor Trainer::numbers(std::size_t begin, std::size_t end) const {
    return numbers_.rows(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
}

/// Room for the numbers of a step of so many microbatches.
void Trainer::reserveNumbers(std::int64_t microbatches) {
    const auto& blocks = model_.spec().blocks;
    const std::int64_t routers = std::count_if(
        blocks.begin(), blocks.end(), [](const BlockSpec& block) { return block.moe.has_value(); });
    const std::int64_t most = 1 + microbatches * (1 + 2 * routers);
    if (!numbers_.defined() || numbers_.elements() < most)
        numbers_ = made(model_.backend(), {most}, DType::F64);
}

}  // namespace core
