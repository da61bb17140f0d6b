// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "core/run/json_internal.h"
#include "core/run/training_state.h"

#include <algorithm>
#include <system_error>

namespace core {
namespace {

/// Learning rate for a checkpoint that does not say at which it was trained.
constexpr double kPretrainedRate = 1e-4;

/// HF's preprocessor_config.json: image_mean and image_std, where they are lists of numbers.
void readPreprocessor(const Path& folder, Normalization& normalization) {
    const Path file = folder / "preprocessor_config.json";
    std::error_code code;
    if (!std::filesystem::exists(file, code)) return;
    const Json json = Json::parse(readTextFile(file), nullptr, false);
    if (!json.is_object()) return;
    Normalization read;
    const auto numbers = [&](const char* key) {
        std::vector<float> values;
        if (const auto list = json.find(key); list != json.end() && list->is_array())
            for (const Json& value : *list)
                if (value.is_number()) values.push_back(value.get<float>());
        return values;
    };
    read.mean = numbers("image_mean");
    read.std = numbers("image_std");
    if (!read.mean.empty() && read.mean.size() == read.std.size()) normalization = read;
}

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
    readPreprocessor(folder, job.normalization);
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
