// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/model/loss_reading.h"
#include "core/model/model.h"
#include "core/model/router_stats.h"
#include "core/training/device_batch.h"
#include "core/training/optimizer.h"
#include "core/training/schedule.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

struct TrainerSpec {
    std::int64_t steps = 1000;
    std::int64_t microbatch =
        0;  ///< examples per forward; 0 = the whole batch (gradient accumulation otherwise)
    double clip = 0;         ///< global gradient norm; 0 = off
    bool recompute = false;  ///< less memory for one more forward a step: ForwardOptions
    LossSpec loss;
    std::optional<float> dropout{};  ///< rate in place of the model's config's
    std::uint64_t seed = 0;          ///< of dropout
    OptimizerSpec optimizer;
    ScheduleSpec schedule;
};

/// What one optimizer step did.
struct StepMetrics {
    std::int64_t step = 0;  ///< 1 = after the first update of this run
    double loss = 0, auxLoss = 0, zLoss = 0;
    double lr = 0;
    double gradNorm = 0;
    std::int64_t examples = 0, tokens = 0;
    double seconds = 0;
    bool applied = true;  ///< false: not finite, the update was skipped
    std::vector<RouterStats> routers;
};

/// A step is batch, forward, backward, clip, update. Gradient accumulation weights each microbatch
/// by its counted labels, so that a dense model's gradient is that of the whole batch.
///
/// Nothing in a step waits for the device, unless its routers are observed: a step can begin while
/// the last one is computed, and its metrics are collected when they are there.
class Trainer {
  public:
    /// `startStep`: steps of this run done before. Model and batches outlive the trainer.
    Trainer(Model& model, BatchSource& batches, const TrainerSpec& spec, std::int64_t startStep);

    /// Begins one step. A loss or gradient that is not finite: nothing is updated, `applied` is
    /// false, the step counts. `observeRouters` false leaves `routers` empty (statistics cost a
    /// pass over the probabilities).
    void begin(bool observeRouters = true);
    /// Metrics of the oldest step whose are not collected yet: when they are there, or waited for;
    /// none when there is no such step. Its `seconds` count from its beginning, or from the end of
    /// the step before, if that came later.
    std::optional<StepMetrics> collect(bool wait);
    /// begin and collect; nothing is left to collect from before.
    StepMetrics step(bool observeRouters = true);
    /// Steps that were begun, and those of before.
    std::int64_t stepsDone() const noexcept { return step_; }
    std::size_t uncollected() const noexcept { return uncollected_.size(); }
    Optimizer& optimizer() { return *optimizer_; }
    /// New learning rate from now on (the `set` order).
    void setLearningRate(double lr) { spec_.schedule.lr = lr; }

  private:
    using Clock = std::chrono::steady_clock;
    struct Microbatch {
        LossReading losses;
        double share = 0;  ///< of the counted labels
    };
    /// A step on its way.
    struct Begun {
        StepMetrics metrics;
        std::vector<Microbatch> microbatches;
        std::unique_ptr<Readback> numbers;
        Clock::time_point at;
    };
    Microbatch accumulate(const Batch& batch, std::int64_t first, std::int64_t counted,
                          bool observeRouters, std::size_t firstNumber);
    void update(double lr, std::size_t count);
    /// Places [begin, end) of the numbers that a step leaves on the device.
    Tensor numbers(std::size_t begin, std::size_t end) const;
    void reserveNumbers(std::int64_t microbatches);

    Model& model_;
    BatchSource& batches_;
    TrainerSpec spec_;
    std::unique_ptr<Optimizer> optimizer_;
    DeviceBatch deviceBatch_;
    std::int64_t step_;
    RouterStatsAccumulator routers_;
    Tensor numbers_;  ///< F64: the squares of the gradients' norm, then losses (loss_reading.h)
    Tensor scale_;    ///< F32 [1]
    std::deque<Begun> uncollected_;
    Clock::time_point lastEnd_{};
};

}  // namespace core
