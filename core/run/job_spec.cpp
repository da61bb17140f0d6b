// SPDX-License-Identifier: Apache-2.0
#include "core/run/job_spec.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/run/job_json_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace core {
namespace {

constexpr std::array<std::pair<Objective, std::string_view>, 4> kObjectives{
    {{Objective::Classify, "classify"},
     {Objective::SpanCorruption, "span-corruption"},
     {Objective::TextToText, "text-to-text"},
     {Objective::CausalLm, "causal-lm"}}};

std::string_view lossName(LossKind kind) noexcept {
    return kind == LossKind::Softmax ? "softmax" : "sigmoid";
}

std::optional<LossKind> lossFromName(std::string_view name) noexcept {
    if (name == "softmax") return LossKind::Softmax;
    if (name == "sigmoid") return LossKind::Sigmoid;
    return std::nullopt;
}

Json lossJson(const LossSpec& loss) {
    return {{"kind", lossName(loss.kind)},
            {"label_smoothing", shortest(loss.labelSmoothing)},
            {"aux", shortest(loss.aux)},
            {"z", shortest(loss.z)},
            {"logit_z", shortest(loss.logitZ)}};
}

void readLoss(const Fields& fields, LossSpec& loss) {
    fields.readName("kind", loss.kind, lossFromName);
    fields.read("label_smoothing", loss.labelSmoothing);
    fields.read("aux", loss.aux);
    fields.read("z", loss.z);
    fields.read("logit_z", loss.logitZ);
}

Json jobJson(const JobSpec& job) {
    Json json{{"schema", job.schema}, {"model", job.model}};
    if (job.plan) json["plan"] = Json::parse(toJson(*job.plan));
    json["data"] = job.data;
    json["objective"] = objectiveName(job.objective);
    json["steps"] = job.trainer.steps;
    json["batch"] = job.batch;
    json["microbatch"] = job.trainer.microbatch;
    json["clip"] = job.trainer.clip;
    json["recompute"] = job.trainer.recompute;
    json["loss"] = lossJson(job.trainer.loss);
    json["optimizer"] = toJson(job.trainer.optimizer);
    json["schedule"] = toJson(job.trainer.schedule);
    json["optimizer_state"] = optimizerStateModeName(job.optimizerState);
    json["dropout"] = job.trainer.dropout ? Json(shortest(*job.trainer.dropout)) : Json();
    json["augmentation"] = toJson(job.augmentation);
    json["normalization"] = toJson(job.normalization);
    json["text"] = toJson(job.text);
    json["eval_every"] = job.evalEvery;
    json["eval_examples"] = job.evalExamples;
    json["checkpoint_every"] = job.checkpointEvery;
    json["keep"] = job.keep;
    json["seed"] = job.seed;
    json["device"] = job.device;
    json["dtype"] = dtypeOption(job.dtype);
    json["threads"] = job.threads;
    return json;
}

JobSpec jobFrom(const Json& json, const std::string& where) {
    const Fields fields(json, where);
    JobSpec job;
    fields.read("schema", job.schema);
    fields.read("model", job.model);
    if (const Json* plan = fields.find("plan"); plan != nullptr && !plan->is_null())
        job.plan = planFromJson(plan->dump(), where + ": plan");
    fields.read("data", job.data);
    fields.readName("objective", job.objective, objectiveFromName);
    fields.read("steps", job.trainer.steps);
    fields.read("batch", job.batch);
    fields.read("microbatch", job.trainer.microbatch);
    fields.read("clip", job.trainer.clip);
    fields.read("recompute", job.trainer.recompute);
    readLoss(fields.object("loss"), job.trainer.loss);
    read(fields.object("optimizer"), job.trainer.optimizer);
    read(fields.object("schedule"), job.trainer.schedule);
    fields.readName("optimizer_state", job.optimizerState, optimizerStateModeFromName);
    if (const Json* rate = fields.find("dropout"); rate != nullptr && !rate->is_null()) {
        job.trainer.dropout = 0.0F;
        fields.read("dropout", *job.trainer.dropout);
    }
    read(fields.object("augmentation"), job.augmentation);
    read(fields.object("normalization"), job.normalization);
    read(fields.object("text"), job.text);
    fields.read("eval_every", job.evalEvery);
    fields.read("eval_examples", job.evalExamples);
    fields.read("checkpoint_every", job.checkpointEvery);
    fields.read("keep", job.keep);
    fields.read("seed", job.seed);
    fields.read("device", job.device);
    fields.readName("dtype", job.dtype, dtypeFromOption);
    fields.read("threads", job.threads);
    validateNumbers(job, where);
    return job;
}

[[noreturn]] void unknownKey(const std::string& key) {
    throw Error(ErrorKind::Usage, fmt::format("--set {}: job.json has no such key", printable(key)),
                "give a key of job.json, such as batch, schedule.cooldown or augmentation.flip");
}

/// The value's text as JSON of the same kind as what it replaces.
Json valueLike(const Json& old, const std::string& text) {
    if (old.is_string()) return text;
    Json value = Json::parse(text, nullptr, false);
    if (old.is_array() && value.is_number()) value = Json::array({value});
    return value.is_discarded() ? Json(text) : value;
}

}  // namespace

std::string_view objectiveName(Objective objective) noexcept {
    for (const auto& [value, name] : kObjectives)
        if (value == objective) return name;
    return "classify";
}

std::optional<Objective> objectiveFromName(std::string_view name) noexcept {
    for (const auto& [value, known] : kObjectives)
        if (known == name) return value;
    return std::nullopt;
}

bool isOfTexts(Objective objective) noexcept { return objective != Objective::Classify; }

std::string_view optimizerStateModeName(OptimizerStateMode mode) noexcept {
    return mode == OptimizerStateMode::Carry ? "carry" : "reset";
}

std::optional<OptimizerStateMode> optimizerStateModeFromName(std::string_view name) noexcept {
    if (name == "carry") return OptimizerStateMode::Carry;
    if (name == "reset") return OptimizerStateMode::Reset;
    return std::nullopt;
}

std::string toJson(const JobSpec& job) { return jobJson(job).dump(2) + "\n"; }

JobSpec jobFromJson(const std::string& text, const std::string& where) {
    return jobFrom(parseDocument(text, where, kJobSchema), where);
}

void setJobField(JobSpec& job, std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0)
        throw Error(ErrorKind::Usage,
                    fmt::format("--set {}: expected key=value", printable(assignment)),
                    "for example --set batch=64");
    std::string key(assignment.substr(0, equals));
    if (key == "lr") key = "schedule.lr";
    Json json = jobJson(job);
    Json* place = &json;
    std::size_t begin = 0;
    for (std::size_t dot = 0; dot != std::string::npos; begin = dot + 1) {
        dot = key.find('.', begin);
        const std::string part =
            key.substr(begin, dot == std::string::npos ? std::string::npos : dot - begin);
        if (!place->is_object() || !place->contains(part)) unknownKey(key);
        place = &(*place)[part];
    }
    if (place->is_object() || key == "schema" || key == "model" || key.starts_with("plan"))
        unknownKey(key);
    *place = valueLike(*place, std::string(assignment.substr(equals + 1)));
    try {
        job = jobFrom(json, "--set");
    } catch (const Error& error) {
        throw Error(ErrorKind::Usage, error.what(), error.hint());
    }
}

std::int64_t stepsOfEpochs(double epochs, std::int64_t examples, std::int64_t batch) {
    const double perEpoch = static_cast<double>(std::max<std::int64_t>(examples / batch, 1));
    return std::max<std::int64_t>(std::llround(std::ceil(epochs * perEpoch - 1e-9)), 1);
}

}  // namespace core
