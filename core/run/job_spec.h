// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/batch_loader.h"
#include "core/data/text_loader.h"
#include "core/surgery/plan.h"
#include "core/surgery/report.h"
#include "core/training/trainer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class Objective { Classify, SpanCorruption, TextToText, CausalLm };
std::string_view objectiveName(Objective objective) noexcept;
std::optional<Objective> objectiveFromName(std::string_view name) noexcept;
/// Whether it is learnt from texts; the others from images.
bool isOfTexts(Objective objective) noexcept;

enum class OptimizerStateMode { Carry, Reset };
std::string_view optimizerStateModeName(OptimizerStateMode mode) noexcept;  ///< "carry", "reset"
std::optional<OptimizerStateMode> optimizerStateModeFromName(std::string_view name) noexcept;

/// The newest schema of job.json that this program reads and writes.
constexpr int kJobSchema = 1;

/// job.json: everything a run is, so that it can be repeated. Paths are absolute.
struct JobSpec {
    int schema = kJobSchema;
    std::string model;                ///< MODEL, or "scratch:CONFIG.json"
    std::optional<SurgeryPlan> plan;  ///< upcycling to do first
    std::string data;                 ///< SOURCE
    Objective objective = Objective::Classify;
    std::int64_t batch = 128;
    TrainerSpec trainer;
    OptimizerStateMode optimizerState = OptimizerStateMode::Carry;
    Augmentation augmentation;
    Normalization normalization;
    TextSpec text;
    std::int64_t evalEvery = 0;        ///< steps; 0 = at the end only
    std::int64_t evalExamples = 0;     ///< of the evaluation split; 0 = all
    std::int64_t checkpointEvery = 0;  ///< steps; 0 = at the end only
    int keep = 3;                      ///< newest checkpoints kept; 0 = all
    std::uint64_t seed = 0;
    std::string device = "auto";
    DType dtype = DType::F32;
    int threads = 0;  ///< 0 = all
};

/// Keys: model, plan, data, objective, steps, batch, microbatch, clip, recompute, loss.{kind,
/// label_smoothing, aux, z}, optimizer.{kind, weight_decay, ...}, schedule.{kind, lr, warmup, ...},
/// optimizer_state, dropout, augmentation.{crop_padding, flip}, normalization.{mean, std},
/// text.{tokenizer, inputs_length, ...}, eval_every,
/// eval_examples, checkpoint_every, keep, seed, device, dtype, threads.
std::string toJson(const JobSpec& job);
/// Unknown keys are skipped, missing ones keep their defaults; a newer schema, a key of another
/// type and an impossible number are refused by name.
JobSpec jobFromJson(const std::string& text, const std::string& where);

/// "key=value" of `--set`, with the keys of job.json: "batch=64", "optimizer.beta2=0.99",
/// "schedule.cooldown=100", "augmentation.flip=true". "lr" is short for "schedule.lr". Usage names
/// the key; model and plan are not settable.
void setJobField(JobSpec& job, std::string_view assignment);

/// Throws BadInput, naming the key of job.json, for a number that cannot work (steps 0, NaN lr
/// ...).
void validateNumbers(const JobSpec& job, const std::string& where);

/// Everything that can be checked before a run starts, against the real files: model, plan, data
/// (classes, image shape), numbers, disk, memory. Returns warnings.
std::vector<std::string> checkJob(const JobSpec& job, const Path& run);

/// The model that a job trains: its checkpoint's after the plan, or scratch:CONFIG.json's. Adds
/// what the plan warns of. BadInput or Usage when this version does not train it so.
ModelSpec trainedSpec(const JobSpec& job, std::vector<std::string>& warnings);

/// Weight of the balance loss where nothing is said: Top-K routing needs one, Expert Choice none.
float usualBalanceLoss(const ModelSpec& spec);

/// Moments of the optimizer, in numbers per weight (Adafactor's factored ones counted as whole).
int momentsPerWeight(OptimizerKind kind);

/// Tokens of a job's texts, padding among them.
TextLengths textLengths(const JobSpec& job);

/// What a T5 does with a source when nothing else is said: text-to-text with pairs (jsonl) and
/// synthetic tokens, span corruption with plain texts.
Objective usualObjective(const std::string& source);

/// Defaults that continue the checkpoint's own training (its training.json when it has one:
/// schedule, lr, step, optimizer, batch, data, augmentation, normalisation; else the normalisation
/// of its preprocessor_config.json). `model`: a checkpoint, already resolved.
JobSpec defaultJob(const Path& model);

/// Defaults of a random start of CONFIG.json's model.
JobSpec scratchJob(const Path& config);

/// Steps of `epochs` passes over a training set of `examples`, whole batches only, at least 1.
std::int64_t stepsOfEpochs(double epochs, std::int64_t examples, std::int64_t batch);

}  // namespace core
