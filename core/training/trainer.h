// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/model/model.h"
#include "core/model/router_stats.h"
#include "core/training/device_batch.h"
#include "core/training/optimizer.h"
#include "core/training/schedule.h"

#include <cstdint>
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

/// step() = batch, forward, backward, clip, update. Gradient accumulation weights each microbatch
/// by its counted labels, so that a dense model's gradient is that of the whole batch.
class Trainer {
  public:
    /// `startStep`: steps of this run done before. Model and batches outlive the trainer.
    Trainer(Model& model, BatchSource& batches, const TrainerSpec& spec, std::int64_t startStep);

    /// A loss or gradient that is not finite: nothing is updated, `applied` is false, the step
    /// counts. `observeRouters` false leaves `routers` empty (statistics cost a pass over the
    /// probabilities).
    StepMetrics step(bool observeRouters = true);
    std::int64_t stepsDone() const noexcept { return step_; }
    Optimizer& optimizer() { return *optimizer_; }
    /// New learning rate from now on (the `set` order).
    void setLearningRate(double lr) { spec_.schedule.lr = lr; }

  private:
    struct Totals;
    void accumulate(const HostBatch& batch, std::int64_t begin, std::int64_t end,
                    std::int64_t counted, bool observeRouters, Totals& totals);
    double gradientNorm();

    Model& model_;
    BatchSource& batches_;
    TrainerSpec spec_;
    std::unique_ptr<Optimizer> optimizer_;
    DeviceBatch deviceBatch_;
    std::int64_t step_;
    RouterStatsAccumulator routers_;
};

}  // namespace core
