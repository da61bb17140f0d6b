// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/modeling.h"

#include "core/model/config_internal.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace core {
namespace {

using config::Json;

constexpr std::string_view kUpcycled = "Upcycled";
constexpr std::string_view kModuleEnding = ".py";

/// One of transformers' model types: our classes are its classes with "Upcycled" before the name.
struct ModelType {
    std::string_view name;  ///< model_type
    std::string_view file;  ///< the modelling file
    std::string_view (*text)() noexcept;
    std::string_view classes;  ///< what its classes' names begin with
    std::string_view usual;    ///< ending of the class of a file that says nothing else
    /// What a class' name ends with, and the auto class that loads it.
    std::span<const std::pair<std::string_view, std::string_view>> endings;
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kVitEndings{{
    {"Model", "AutoModel"},
    {"ForImageClassification", "AutoModelForImageClassification"},
}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kT5Endings{{
    {"Model", "AutoModel"},
    {"ForConditionalGeneration", "AutoModelForSeq2SeqLM"},
    {"EncoderModel", "AutoModelForTextEncoding"},
}};
constexpr std::array<ModelType, 3> kTypes{{
    {"vit", kVitModelingName, vitModelingText, "ViT", "ForImageClassification", kVitEndings},
    {"t5", kT5ModelingName, t5ModelingText, "T5", "ForConditionalGeneration", kT5Endings},
    {"mt5", kT5ModelingName, t5ModelingText, "MT5", "ForConditionalGeneration", kT5Endings},
}};

struct Upcycled {
    const ModelType* type = nullptr;  ///< null: no model with MoE blocks that has a modelling file
    Json config;
};

Upcycled upcycled(const std::string& text, const std::string& where) {
    if (text.find("\"upcycling\"") == std::string::npos) return {};
    Json json = config::parseObject(text, where);
    const Json name = json.value("model_type", Json());
    const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const ModelType& one) { return name == one.name; });
    if (type == kTypes.end() || !json["upcycling"].is_object()) return {};
    const Json blocks = json["upcycling"].value("blocks", Json());
    if (!blocks.is_object() || blocks.empty()) return {};
    return {&*type, std::move(json)};
}

std::string ours(const ModelType& type, std::string_view ending) {
    return std::string(kUpcycled) + std::string(type.classes) + std::string(ending);
}

/// The class for what the file holds, by the dense model's.
std::string architectureOf(const ModelType& type, const Json& config) {
    const auto found = config.find("architectures");
    if (found != config.end() && found->is_array() && found->size() == 1)
        for (const auto& [ending, loader] : type.endings)
            if (found->front() == std::string(type.classes) + std::string(ending) ||
                found->front() == ours(type, ending))
                return ours(type, ending);
    return ours(type, type.usual);
}

}  // namespace

std::string configWithModeling(const std::string& configText, const std::string& where) {
    const auto [type, before] = upcycled(configText, where);
    if (type == nullptr) return configText;
    Json json = before;
    json["architectures"] = {architectureOf(*type, before)};
    Json& map = json["auto_map"];
    if (!map.is_object()) map = Json::object();
    const std::string module(type->file.substr(0, type->file.size() - kModuleEnding.size()));
    for (const auto& [ending, loader] : type->endings)
        map[std::string(loader)] = module + "." + ours(*type, ending);
    return json == before ? configText : json.dump(2) + "\n";
}

std::map<std::string, std::string> modelingFiles(const std::string& configText,
                                                 const std::string& where) {
    const ModelType* type = upcycled(configText, where).type;
    if (type == nullptr) return {};
    return {{std::string(type->file), std::string(type->text())}};
}

}  // namespace core
