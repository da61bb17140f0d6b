// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "core/run/preprocessor.h"
#include "core/run/training_state.h"

#include <system_error>

namespace core {
namespace {

/// Learning rate for a checkpoint that does not say at which it was trained.
constexpr double kPretrainedRate = 1e-4;

/// Goes on where the schedule stood: constant and rsqrt as they were, a decay from the rate it had
/// reached (from its peak when that is 0).
ScheduleSpec continued(const TrainingState& state) {
    ScheduleSpec schedule = state.schedule;
    schedule.startStep = state.globalStep;
    schedule.warmup = 0;
    schedule.cooldown = 0;
    const bool decays =
        schedule.kind == ScheduleKind::Cosine || schedule.kind == ScheduleKind::Linear;
    if (decays && state.lr > 0) schedule.lr = state.lr;
    return schedule;
}

}  // namespace

JobSpec defaultJob(const Path& model) {
    JobSpec job;
    job.model = model.string();
    job.optimizerState = OptimizerStateMode::Reset;
    const Path folder = Checkpoint::open(model)->folder();
    job.normalization = readPreprocessor(folder).value_or(job.normalization);
    const std::optional<TrainingState> state = readTrainingState(folder);
    if (!state) {
        job.trainer.schedule.lr = kPretrainedRate;
        return job;
    }
    if (state->batch > 0) job.batch = state->batch;
    job.data = state->data;
    job.objective = state->objective;
    job.trainer.optimizer = state->optimizer;
    job.trainer.schedule = continued(*state);
    job.augmentation = state->augmentation;
    job.normalization = state->normalization;
    std::error_code code;
    if (std::filesystem::exists(folder / "optimizer.safetensors", code))
        job.optimizerState = OptimizerStateMode::Carry;
    else
        job.trainer.optimizer.stepOffset = state->globalStep;
    return job;
}

}  // namespace core
