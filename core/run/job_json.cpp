// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/run/job_json_internal.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

namespace core {
namespace {

Json emptyObject() { return Json::object(); }

}  // namespace

Fields::Fields(const Json& object, std::string where, std::string prefix)
    : object_(object), where_(std::move(where)), prefix_(std::move(prefix)) {}

const Json* Fields::find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
}

void Fields::fail(const char* key, std::string_view expected) const {
    const Json* value = find(key);
    const std::string found =
        value == nullptr ? "nothing"
                         : printable(value->dump(-1, ' ', false, Json::error_handler_t::replace));
    throw Error(
        ErrorKind::BadInput,
        fmt::format("{}: key {}{} is {}, expected {}", where_, prefix_, key, found, expected),
        "correct this key");
}

void Fields::read(const char* key, std::int64_t& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number_integer()) fail(key, "an integer");
    if (found->is_number_unsigned() &&
        found->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
        fail(key, "an integer below 2^63");
    value = found->get<std::int64_t>();
}

void Fields::read(const char* key, int& value) const {
    std::int64_t wide = value;
    read(key, wide);
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
        fail(key, "a smaller integer");
    value = static_cast<int>(wide);
}

void Fields::read(const char* key, std::uint64_t& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number_unsigned()) fail(key, "an integer from 0");
    value = found->get<std::uint64_t>();
}

void Fields::read(const char* key, double& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number()) fail(key, "a number");
    value = found->get<double>();
}

void Fields::read(const char* key, float& value) const {
    double wide = static_cast<double>(value);
    if (find(key) == nullptr) return;
    read(key, wide);
    value = static_cast<float>(wide);
}

void Fields::read(const char* key, bool& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) fail(key, "true or false");
    value = found->get<bool>();
}

void Fields::read(const char* key, std::string& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_string()) fail(key, "a text");
    value = found->get<std::string>();
}

void Fields::read(const char* key, std::vector<float>& value) const {
    const Json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_array() || found->empty()) fail(key, "a list of numbers");
    std::vector<float> numbers;
    for (const Json& element : *found) {
        if (!element.is_number()) fail(key, "a list of numbers");
        numbers.push_back(element.get<float>());
    }
    value = std::move(numbers);
}

Fields Fields::object(const char* key) const {
    const std::string inner = prefix_ + key + ".";
    const Json* found = find(key);
    if (found == nullptr) return {emptyObject(), where_, inner};
    if (!found->is_object()) fail(key, "an object");
    return {*found, where_, inner};
}

Json parseDocument(const std::string& text, const std::string& where, int newestSchema) {
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object())
        throw Error(ErrorKind::BadInput, fmt::format("{} is not a JSON object", where),
                    "it may be cut short: restore it or make it again");
    const std::int64_t schema = integerOr(json, "schema", 0);
    if (schema > newestSchema)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has schema {}, newer than the {} that this program reads",
                                where, schema, newestSchema),
                    "use a newer version of upcycle");
    if (schema < 1)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has no valid key schema (expected {})", where, newestSchema),
                    "it may be another kind of file");
    return json;
}

double shortest(float value) {
    return std::isfinite(value) ? std::stod(fmt::format("{}", value)) : static_cast<double>(value);
}

Json toJson(const OptimizerSpec& spec) {
    return {{"kind", optimizerName(spec.kind)},
            {"weight_decay", spec.weightDecay},
            {"beta1", spec.beta1},
            {"beta2", spec.beta2},
            {"epsilon", spec.epsilon},
            {"momentum", spec.momentum},
            {"nesterov", spec.nesterov},
            {"decay_rate", spec.decayRate},
            {"min_dim_to_factor", spec.minDimToFactor},
            {"step_offset", spec.stepOffset}};
}

Json toJson(const TextSpec& spec) {
    return {{"tokenizer", spec.tokenizer},
            {"inputs_length", spec.inputsLength},
            {"targets_length", spec.targetsLength},
            {"noise_density", spec.corruption.noiseDensity},
            {"mean_span_length", spec.corruption.meanSpanLength},
            {"batch_tokens", spec.batchTokens},
            {"text_field", spec.textField},
            {"input_field", spec.inputField},
            {"target_field", spec.targetField},
            {"prefix", spec.prefix}};
}

void read(const Fields& fields, TextSpec& spec) {
    fields.read("tokenizer", spec.tokenizer);
    fields.read("inputs_length", spec.inputsLength);
    fields.read("targets_length", spec.targetsLength);
    fields.read("noise_density", spec.corruption.noiseDensity);
    fields.read("mean_span_length", spec.corruption.meanSpanLength);
    fields.read("batch_tokens", spec.batchTokens);
    fields.read("text_field", spec.textField);
    fields.read("input_field", spec.inputField);
    fields.read("target_field", spec.targetField);
    fields.read("prefix", spec.prefix);
}

void read(const Fields& fields, OptimizerSpec& spec) {
    fields.readName("kind", spec.kind, optimizerFromName);
    fields.read("weight_decay", spec.weightDecay);
    fields.read("beta1", spec.beta1);
    fields.read("beta2", spec.beta2);
    fields.read("epsilon", spec.epsilon);
    fields.read("momentum", spec.momentum);
    fields.read("nesterov", spec.nesterov);
    fields.read("decay_rate", spec.decayRate);
    fields.read("min_dim_to_factor", spec.minDimToFactor);
    fields.read("step_offset", spec.stepOffset);
}

Json toJson(const ScheduleSpec& spec) {
    return {{"kind", scheduleName(spec.kind)},
            {"lr", spec.lr},
            {"warmup", spec.warmup},
            {"cooldown", spec.cooldown},
            {"timescale", spec.timescale},
            {"start_step", spec.startStep},
            {"final_fraction", spec.finalFraction}};
}

void read(const Fields& fields, ScheduleSpec& spec) {
    fields.readName("kind", spec.kind, scheduleFromName);
    fields.read("lr", spec.lr);
    fields.read("warmup", spec.warmup);
    fields.read("cooldown", spec.cooldown);
    fields.read("timescale", spec.timescale);
    fields.read("start_step", spec.startStep);
    fields.read("final_fraction", spec.finalFraction);
}

Json toJson(const Augmentation& augmentation) {
    return {{"crop_padding", augmentation.cropPadding}, {"flip", augmentation.flip}};
}

void read(const Fields& fields, Augmentation& augmentation) {
    fields.read("crop_padding", augmentation.cropPadding);
    fields.read("flip", augmentation.flip);
}

Json toJson(const Normalization& normalization) {
    const auto list = [](const std::vector<float>& values) {
        Json numbers = Json::array();
        for (const float value : values) numbers.push_back(shortest(value));
        return numbers;
    };
    return {{"mean", list(normalization.mean)}, {"std", list(normalization.std)}};
}

void read(const Fields& fields, Normalization& normalization) {
    fields.read("mean", normalization.mean);
    fields.read("std", normalization.std);
}

}  // namespace core
