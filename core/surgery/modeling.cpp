// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/modeling.h"

#include "core/model/config_internal.h"

namespace core {
namespace {

using config::Json;

constexpr std::string_view kModule = "modeling_upcycled_vit.";
constexpr std::string_view kUpcycled = "Upcycled";
constexpr std::string_view kEncoder = "ViTModel";
constexpr std::string_view kClassifier = "ViTForImageClassification";

/// Null unless the text is the config of a ViT with MoE blocks.
Json upcycledVit(const std::string& text, const std::string& where) {
    if (text.find("\"upcycling\"") == std::string::npos) return nullptr;
    Json json = config::parseObject(text, where);
    if (json.value("model_type", Json()) != "vit" || !json["upcycling"].is_object()) return nullptr;
    const Json blocks = json["upcycling"].value("blocks", Json());
    if (!blocks.is_object() || blocks.empty()) return nullptr;
    return json;
}

std::string ours(std::string_view architecture) {
    return std::string(kUpcycled) + std::string(architecture);
}

/// The class for what the file holds: the encoder alone where the dense model was one.
std::string architectureOf(const Json& config) {
    const auto found = config.find("architectures");
    const bool encoder = found != config.end() && found->is_array() && found->size() == 1 &&
                         (found->front() == kEncoder || found->front() == ours(kEncoder));
    return ours(encoder ? kEncoder : kClassifier);
}

}  // namespace

std::string configWithModeling(const std::string& configText, const std::string& where) {
    const Json before = upcycledVit(configText, where);
    if (before.is_null()) return configText;
    Json json = before;
    json["architectures"] = {architectureOf(before)};
    Json& map = json["auto_map"];
    if (!map.is_object()) map = Json::object();
    map["AutoModel"] = std::string(kModule) + ours(kEncoder);
    map["AutoModelForImageClassification"] = std::string(kModule) + ours(kClassifier);
    return json == before ? configText : json.dump(2) + "\n";
}

std::map<std::string, std::string> modelingFiles(const std::string& configText,
                                                 const std::string& where) {
    if (upcycledVit(configText, where).is_null()) return {};
    return {{std::string(kVitModelingName), std::string(vitModelingText())}};
}

}  // namespace core
