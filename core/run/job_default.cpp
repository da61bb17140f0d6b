// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "core/run/preprocessor.h"
#include "core/run/training_state.h"

#include <algorithm>
#include <system_error>

namespace core {
namespace {

/// Learning rate for a checkpoint that does not say at which it was trained.
constexpr double kPretrainedRate = 1e-4;
constexpr double kScratchRate = 1e-3;
constexpr std::int64_t kT5Batch = 32;
constexpr float kBalanceLoss = 0.01F;

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

/// As T5X trains: Adafactor scaled by the parameters, z-loss on the logits; the rate of its
/// pre-training, 1 / sqrt(max(step, 10000)), and of its fine-tuning, 0.001.
void setT5Defaults(JobSpec& job, bool scratch) {
    job.objective = Objective::SpanCorruption;
    job.batch = kT5Batch;
    job.trainer.optimizer.kind = OptimizerKind::Adafactor;
    job.trainer.loss.logitZ = 1e-4F;
    job.trainer.schedule.kind = scratch ? ScheduleKind::Rsqrt : ScheduleKind::Constant;
    job.trainer.schedule.lr = scratch ? 0.01 : 0.001;
}

}  // namespace

float usualBalanceLoss(const ModelSpec& spec) {
    const bool asks = std::any_of(
        spec.blocks.begin(), spec.blocks.end(),
        [](const BlockSpec& block) { return block.moe && block.moe->router == RouterKind::TopK; });
    return asks ? kBalanceLoss : 0.0F;
}

JobSpec scratchJob(const Path& config) {
    JobSpec job;
    job.model = "scratch:" + config.string();
    job.optimizerState = OptimizerStateMode::Reset;
    job.trainer.schedule.lr = kScratchRate;
    if (specFromConfig(readTextFile(config), config.string()).family == Family::T5)
        setT5Defaults(job, true);
    return job;
}

JobSpec defaultJob(const Path& model) {
    JobSpec job;
    job.model = model.string();
    job.optimizerState = OptimizerStateMode::Reset;
    job.trainer.schedule.lr = kPretrainedRate;
    const auto checkpoint = Checkpoint::open(model);
    const bool language = readSpecUnchecked(*checkpoint).family == Family::T5;
    if (language) setT5Defaults(job, false);
    const Path folder = checkpoint->folder();
    job.normalization = readPreprocessor(folder).value_or(job.normalization);
    const std::optional<TrainingState> state = readTrainingState(folder);
    if (!state) return job;
    if (state->batch > 0) job.batch = state->batch;
    job.data = state->data;
    job.objective = state->objective;
    job.trainer.optimizer = state->optimizer;
    job.trainer.schedule = continued(*state);
    job.augmentation = state->augmentation;
    job.normalization = state->normalization;
    job.text = state->text;
    std::error_code code;
    // The paper carries the moments for vision and begins anew for language (appendix B.6).
    if (!language && std::filesystem::exists(folder / "optimizer.safetensors", code))
        job.optimizerState = OptimizerStateMode::Carry;
    else
        job.trainer.optimizer.stepOffset = state->globalStep;
    return job;
}

}  // namespace core
