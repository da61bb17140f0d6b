// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_loader.h"
#include "core/surgery/plan.h"
#include "core/training/trainer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace core {

enum class Objective { Classify, SpanCorruption, TextToText, CausalLm };
std::string_view objectiveName(Objective objective) noexcept;
std::optional<Objective> objectiveFromName(std::string_view name) noexcept;

enum class OptimizerStateMode { Carry, Reset };

/// job.json: everything a run is, so that it can be repeated. Paths are absolute.
struct JobSpec {
    int schema = 1;
    std::string model;                ///< MODEL, or "scratch:CONFIG.json"
    std::optional<SurgeryPlan> plan;  ///< upcycling to do first
    std::string data;                 ///< SOURCE
    Objective objective = Objective::Classify;
    std::int64_t batch = 128;
    TrainerSpec trainer;
    OptimizerStateMode optimizerState = OptimizerStateMode::Carry;
    Augmentation augmentation;
    Normalization normalization;
    std::int64_t evalEvery = 0;        ///< steps; 0 = at the end only
    std::int64_t evalExamples = 0;     ///< of the evaluation split; 0 = all
    std::int64_t checkpointEvery = 0;  ///< steps; 0 = at the end only
    int keep = 3;                      ///< checkpoints kept
    std::uint64_t seed = 0;
    std::string device = "auto";
    DType dtype = DType::F32;
    int threads = 0;  ///< 0 = all
};

std::string toJson(const JobSpec& job);
/// Unknown keys are skipped; a newer schema is refused.
JobSpec jobFromJson(const std::string& text, const std::string& where);

/// "key=value" of `--set`: e.g. "batch=64", "optimizer.beta2=0.99", "schedule.cooldown=100",
/// "augmentation.flip=true". BadInput/Usage names the key.
void setJobField(JobSpec& job, std::string_view assignment);

/// Everything that can be checked before a run starts, against the real files: model, plan, data
/// (classes, image shape), numbers, disk, memory. Returns warnings.
std::vector<std::string> checkJob(const JobSpec& job, const Path& run);

/// Defaults that continue the checkpoint's own training (its training.json when it has one:
/// schedule, lr, step, augmentation, normalisation).
JobSpec defaultJob(const Path& model);

}  // namespace core
