// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/vit_config_internal.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>

namespace core {
namespace {

using config::Json;
using config::Reader;

Activation activationFromConfig(const Reader& reader, Activation otherwise) {
    const std::string name =
        reader.text("hidden_act", std::string(config::activationName(otherwise)));
    const auto activation = config::activationFromName(name);
    if (!activation) reader.refuse("hidden_act", "gelu, gelu_new, gelu_pytorch_tanh, relu or silu");
    return *activation;
}

/// image_size and patch_size: a number, or a list of two equal ones.
std::int64_t squareSize(const Reader& reader, const char* key, std::int64_t otherwise) {
    const Json* value = reader.find(key);
    if (value == nullptr || !value->is_array()) return reader.integer(key, otherwise, 1, kMostSize);
    if (value->size() != 2 || (*value)[0] != (*value)[1] || !(*value)[0].is_number_integer() ||
        (*value)[0].get<double>() < 1 || (*value)[0].get<double>() > static_cast<double>(kMostSize))
        reader.refuse(key, "one size (images and patches are square)");
    return (*value)[0].get<std::int64_t>();
}

/// id2label in the order of its numbers; empty when the key is missing.
std::vector<std::string> labelsFromConfig(const Reader& reader) {
    const Json* value = reader.find("id2label");
    if (value == nullptr) return {};
    if (!value->is_object() || value->size() > static_cast<std::size_t>(kMostSize) ||
        value->empty())
        reader.refuse("id2label", "an object from class numbers to names");
    std::map<std::int64_t, std::string> byNumber;
    for (const auto& item : value->items()) {
        std::int64_t number = -1;
        const std::string& key = item.key();
        const auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), number);
        if (problem != std::errc() || end != key.data() + key.size() || number < 0)
            reader.refuse("id2label",
                          "class numbers from 0 as keys, not \"" + printable(key) + "\"");
        byNumber[number] =
            item.value().is_string() ? item.value().get<std::string>() : item.value().dump();
    }
    std::vector<std::string> labels;
    for (const auto& entry : byNumber) labels.push_back(entry.second);
    return labels;
}

float epsilonFromConfig(const Reader& reader, float otherwise) {
    if (!reader.has("layer_norm_eps")) return otherwise;
    const double epsilon = reader.number("layer_norm_eps", 0);
    if (!(epsilon >= 0 && epsilon <= 1)) reader.refuse("layer_norm_eps", "a number from 0 to 1");
    return static_cast<float>(epsilon);
}

float initializerRangeFromConfig(const Reader& reader) {
    const double range = reader.number("initializer_range", 0.02);
    if (!(range >= 0 && range <= 1)) reader.refuse("initializer_range", "a number from 0 to 1");
    return static_cast<float>(range);
}

}  // namespace

VitSpec vitFromConfig(const Reader& reader) {
    constexpr std::int64_t kClassesOfTransformers = 2;
    VitSpec defaults;
    defaults.classes = kClassesOfTransformers;
    return vitFromConfig(reader, std::move(defaults));
}

VitSpec vitFromConfig(const Reader& reader, VitSpec vit) {
    vit.hidden = reader.integer("hidden_size", vit.hidden, 1, kMostSize);
    vit.layers = reader.integer("num_hidden_layers", vit.layers, 0, kMostLayers);
    vit.heads = reader.integer("num_attention_heads", vit.heads, 1, kMostSize);
    vit.intermediate = reader.integer("intermediate_size", vit.intermediate, 1, 4 * kMostSize);
    vit.activation = activationFromConfig(reader, vit.activation);
    vit.layerNormEpsilon = epsilonFromConfig(reader, vit.layerNormEpsilon);
    vit.imageSize = squareSize(reader, "image_size", vit.imageSize);
    vit.patchSize = squareSize(reader, "patch_size", vit.patchSize);
    vit.channels = reader.integer("num_channels", vit.channels, 1, kMostSize);
    vit.qkvBias = reader.boolean("qkv_bias", vit.qkvBias);
    vit.initializerRange = initializerRangeFromConfig(reader);
    vit.labels = labelsFromConfig(reader);
    vit.classes = vit.labels.empty() ? reader.integer("num_labels", vit.classes, 1, kMostSize)
                                     : static_cast<std::int64_t>(vit.labels.size());
    checkVit(vit, reader.where());
    return vit;
}

void checkVit(const VitSpec& vit, const std::string& where) {
    if (vit.patchSize > vit.imageSize)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: patch_size is {}, expected at most image_size, {}", where,
                                vit.patchSize, vit.imageSize),
                    "correct these keys in the file");
    if (vit.heads > 0 && vit.hidden % vit.heads != 0)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: num_attention_heads is {}, expected a divisor of "
                                "hidden_size, {}",
                                where, vit.heads, vit.hidden),
                    "correct these keys in the file");
}

Json vitToConfig(const VitSpec& vit) {
    Json json;
    json["architectures"] = {"ViTForImageClassification"};
    json["model_type"] = "vit";
    json["hidden_size"] = vit.hidden;
    json["num_hidden_layers"] = vit.layers;
    json["num_attention_heads"] = vit.heads;
    json["intermediate_size"] = vit.intermediate;
    json["hidden_act"] = config::activationName(vit.activation);
    json["layer_norm_eps"] = config::shortNumber(vit.layerNormEpsilon);
    json["image_size"] = vit.imageSize;
    json["patch_size"] = vit.patchSize;
    json["num_channels"] = vit.channels;
    json["qkv_bias"] = vit.qkvBias;
    json["hidden_dropout_prob"] = 0.0;
    json["attention_probs_dropout_prob"] = 0.0;
    json["initializer_range"] = config::shortNumber(vit.initializerRange);
    if (vit.labels.empty()) {
        json["num_labels"] = vit.classes;
        return json;
    }
    Json labels = Json::object();
    Json numbers = Json::object();
    for (std::size_t i = 0; i < vit.labels.size(); ++i) {
        labels[std::to_string(i)] = vit.labels[i];
        numbers[vit.labels[i]] = i;
    }
    json["id2label"] = std::move(labels);
    json["label2id"] = std::move(numbers);
    return json;
}

void appendBlocks(std::vector<BlockSpec>& blocks, const std::string& stack, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i)
        blocks.push_back({fmt::format("{}.{}", stack, i), stack, static_cast<int>(i), {}});
}

}  // namespace core
