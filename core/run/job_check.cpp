// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/synthetic_tokens.h"
#include "core/model/t5_batch.h"
#include "core/run/device.h"
#include "core/run/job_memory.h"
#include "core/run/session.h"
#include "core/surgery/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace core {
namespace {

constexpr std::string_view kScratch = "scratch:";

void checkKind(const JobSpec& job, const ModelSpec& spec) {
    if (spec.family == Family::T5) requireComputable(spec.t5);
    if (spec.family == Family::Llama)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is a {} model: this version trains Vision Transformers and T5",
                                job.model, familyName(spec.family)),
                    "give a ViT or T5 checkpoint");
    const bool classifies = job.objective == Objective::Classify;
    if (job.objective == Objective::CausalLm || classifies != (spec.family == Family::Vit))
        throw Error(ErrorKind::Usage,
                    fmt::format("a {} model is not trained with the objective {}",
                                familyName(spec.family), objectiveName(job.objective)),
                    spec.family == Family::Vit
                        ? "train a Vision Transformer with --objective classify"
                        : "train a T5 with --objective span-corruption or text-to-text");
}

void checkCarry(const JobSpec& job) {
    if (job.optimizerState != OptimizerStateMode::Carry || job.model.starts_with(kScratch)) return;
    const Path folder = Checkpoint::open(job.model)->folder();
    std::error_code code;
    if (!std::filesystem::exists(folder / "optimizer.safetensors", code))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has no optimizer.safetensors to carry", folder.string()),
                    "begin with fresh moments: --optimizer-state reset");
    const std::optional<TrainingState> state = readTrainingState(folder);
    if (state && state->optimizer.kind != job.trainer.optimizer.kind)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} carries the moments of {}, the job asks for {}",
                                folder.string(), optimizerName(state->optimizer.kind),
                                optimizerName(job.trainer.optimizer.kind)),
                    "keep the optimizer, or begin with fresh moments: --optimizer-state reset");
}

std::uint64_t checkpointBytes(const JobSpec& job, const ModelSpec& spec) {
    std::uint64_t elements = 0;
    for (const Parameter& parameter : describeParameters(spec))
        elements += static_cast<std::uint64_t>(parameter.shape.elements());
    return elements * sizeof(float) *
           static_cast<std::uint64_t>(1 + momentsPerWeight(job.trainer.optimizer.kind));
}

std::uint64_t checkpointsAtOnce(const JobSpec& job) {
    const std::int64_t made =
        2 + (job.checkpointEvery > 0 ? (job.trainer.steps - 1) / job.checkpointEvery : 0);
    const std::int64_t kept = job.keep > 0 ? job.keep + 1L : made;
    return static_cast<std::uint64_t>(std::min(made, kept));
}

}  // namespace

ModelSpec trainedSpec(const JobSpec& job, std::vector<std::string>& warnings) {
    if (job.model.starts_with(kScratch)) {
        if (job.plan)
            throw Error(ErrorKind::Usage, "a plan upcycles a checkpoint, and scratch: has none",
                        "put the MoE blocks into CONFIG.json under \"upcycling\", or train the "
                        "dense model first");
        const std::string config = job.model.substr(kScratch.size());
        const ModelSpec spec = specFromConfig(readTextFile(config), config);
        checkKind(job, spec);
        return spec;
    }
    const auto checkpoint = Checkpoint::open(job.model);
    const ModelSpec spec = readSpec(*checkpoint);
    checkKind(job, spec);
    if (!job.plan) return spec;
    const PlanReport report = compilePlan(spec, checkpoint->tensors(), *job.plan, job.batch);
    for (const PlanWarning& warning : report.warnings)
        warnings.push_back(warning.block.empty() ? warning.text
                                                 : warning.block + ": " + warning.text);
    return report.output;
}

Objective usualObjective(const std::string& source) {
    return source.starts_with("text:") ? Objective::SpanCorruption : Objective::TextToText;
}

TextLengths textLengths(const JobSpec& job) {
    if (job.data.starts_with("synthetic:tokens")) {
        const SyntheticTokens tokens = parseSyntheticTokens(job.data);
        return {tokens.inputs, tokens.targets};
    }
    const TextSpec& text = job.text;
    TextLengths lengths{text.inputsLength, text.targetsLength};
    if (job.objective == Objective::SpanCorruption)
        lengths.targets =
            lengthsForInputs(std::max<std::int64_t>(text.inputsLength, 4), text.corruption).targets;
    else if (lengths.targets == 0)
        lengths.targets = lengths.inputs;
    return lengths;
}

int momentsPerWeight(OptimizerKind kind) {
    switch (kind) {
        case OptimizerKind::AdamW:
            return 2;
        case OptimizerKind::Sgd:
            return 1;
        case OptimizerKind::Adafactor:
            break;
    }
    return 1;
}

std::vector<std::string> checkJob(const JobSpec& job, const Path& run) {
    std::vector<std::string> warnings;
    validateNumbers(job, "job.json");
    validateDeviceName(job.device);
    requireComputable(job.dtype);
    const ModelSpec spec = trainedSpec(job, warnings);
    checkCarry(job);
    for (std::string& warning : openJobData(job, spec, tokenizerFolder(job))->check())
        warnings.push_back(std::move(warning));
    requireJobMemory(job, spec, deviceMemory(job.device));
    requireDiskBytes(run, checkpointBytes(job, spec) * checkpointsAtOnce(job),
                     "keeping the checkpoints of this run");
    if (job.trainer.schedule.warmup + job.trainer.schedule.cooldown > job.trainer.steps)
        warnings.emplace_back("warm-up and cooldown together are longer than the run");
    return warnings;
}

}  // namespace core
