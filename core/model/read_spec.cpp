// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/read_spec_internal.h"
#include "core/model/t5_config_internal.h"
#include "core/model/upcycling_json_internal.h"
#include "core/model/vit_config_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace core {
namespace {

using config::Json;
using config::Reader;

constexpr const char* kKnownTypes = "vit, t5, mt5, switch_transformers, llama, mistral or qwen2";

struct FamilyWord {
    std::string_view word;  ///< model_type, or how an architecture's name begins
    Family family;
};

constexpr std::array<FamilyWord, 7> kModelTypes{{{"vit", Family::Vit},
                                                 {"t5", Family::T5},
                                                 {"mt5", Family::T5},
                                                 {"switch_transformers", Family::T5},
                                                 {"llama", Family::Llama},
                                                 {"mistral", Family::Llama},
                                                 {"qwen2", Family::Llama}}};
constexpr std::array<FamilyWord, 6> kArchitectures{{{"ViTFor", Family::Vit},
                                                    {"T5", Family::T5},
                                                    {"MT5", Family::T5},
                                                    {"LlamaFor", Family::Llama},
                                                    {"MistralFor", Family::Llama},
                                                    {"Qwen2For", Family::Llama}}};

std::optional<Family> familyFromConfig(const Reader& reader) {
    if (reader.has("model_type")) {
        const std::string type = reader.text("model_type", "");
        for (const FamilyWord& known : kModelTypes)
            if (known.word == type) return known.family;
        reader.refuse("model_type", kKnownTypes);
    }
    const Json* architectures = reader.find("architectures");
    if (architectures == nullptr || !architectures->is_array()) return std::nullopt;
    for (const Json& name : *architectures)
        for (const FamilyWord& known : kArchitectures)
            if (name.is_string() && name.get<std::string>().starts_with(known.word))
                return known.family;
    return std::nullopt;
}

std::optional<Family> familyFromTensors(const Checkpoint& checkpoint) {
    for (const TensorInfo& tensor : checkpoint.tensors()) {
        if (tensor.name.ends_with("embeddings.patch_embeddings.projection.weight"))
            return Family::Vit;
        for (const Family family : {Family::T5, Family::Llama})
            if (blockTensor(family, tensor.name)) return family;
    }
    return std::nullopt;
}

void addBlocks(ModelSpec& spec, const Reader& reader) {
    switch (spec.family) {
        case Family::Vit:
            spec.vit = vitFromConfig(reader);
            return appendBlocks(spec.blocks, "encoder", spec.vit.layers);
        case Family::T5:
            spec.t5 = t5FromConfig(reader);
            appendBlocks(spec.blocks, "encoder", spec.t5.encoderLayers);
            appendBlocks(spec.blocks, "decoder", spec.t5.decoderLayers);
            if (spec.t5.switchNames) readSwitchBlocks(reader, spec);
            return;
        case Family::Llama:
            return appendBlocks(spec.blocks, "decoder",
                                reader.integer("num_hidden_layers", 32, 0, kMostLayers));
    }
}

ModelSpec specFromJson(const Json& json, const std::string& where,
                       std::optional<Family> fromTensors) {
    const Reader reader(json, where);
    const std::optional<Family> family = familyFromConfig(reader);
    if (!family && !fromTensors) reader.refuse("model_type", kKnownTypes);
    ModelSpec spec;
    spec.family = family ? *family : *fromTensors;
    addBlocks(spec, reader);
    if (const Json* upcycling = reader.find("upcycling")) readUpcycling(*upcycling, where, spec);
    return spec;
}

/// The heads that the axes show, or that the person gave, are those of the config.
void checkHeads(const Json& json, const std::string& where, const std::string& known) {
    if (known.empty()) return;
    const Json layout = config::parseObject(known, where);
    for (const char* key : {"num_attention_heads", "num_heads"}) {
        if (!layout.contains(key) || !json.contains(key) || json[key] == layout[key]) continue;
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: {} = {}, but {} heads are in the tensors or were given", where,
                                key, config::shown(json[key]), config::shown(layout[key])),
                    "config and weights do not belong together; leave out the number of heads if "
                    "you gave one");
    }
}

const Shape& shapeOf(const Checkpoint& checkpoint, const std::string& name, std::size_t rank) {
    const TensorInfo* tensor = checkpoint.find(name);
    const auto isSize = [](std::int64_t size) { return size >= 1 && size <= kMostSize; };
    if (tensor == nullptr || tensor->shape.rank() != rank ||
        !std::ranges::all_of(tensor->shape.sizes(), isSize))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: there is no config.json, and tensor {} {}",
                                checkpoint.folder().string(), name,
                                tensor == nullptr ? std::string("is missing")
                                                  : "has the shape " + toString(tensor->shape)),
                    "put the model's config.json beside the weights");
    return tensor->shape;
}

VitSpec vitFromTensors(const Checkpoint& checkpoint) {
    const std::string prefix = vitNames(checkpoint.tensors()).prefix;
    VitSpec vit;
    vit.heads = 0;
    const Shape& patch =
        shapeOf(checkpoint, prefix + "embeddings.patch_embeddings.projection.weight", 4);
    vit.hidden = patch[0];
    vit.channels = patch[1];
    vit.patchSize = patch[2];
    const std::int64_t patches =
        shapeOf(checkpoint, prefix + "embeddings.position_embeddings", 3)[1] - 1;
    vit.imageSize =
        std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(patches, 0)))) *
        vit.patchSize;
    if (const TensorInfo* head = checkpoint.find("classifier.weight"))
        vit.classes = head->shape.rank() == 2 ? head->shape[0] : 0;
    vit.qkvBias = checkpoint.find(VitNames{prefix}.block(0) + "attention.attention.query.bias");
    for (const std::string name :
         {"intermediate.dense.weight", "mlp.experts.expert_0.intermediate.dense.weight"})
        if (const TensorInfo* tensor = checkpoint.find(VitNames{prefix}.block(0) + name))
            vit.intermediate = tensor->shape.rank() == 2 ? tensor->shape[0] : 0;
    return vit;
}

/// Numbers that the shapes show, with what the layout knows besides.
void readNumbers(ModelSpec& spec, const Checkpoint& checkpoint) {
    const std::string& known = checkpoint.layoutConfig();
    if (spec.family == Family::Vit) spec.vit = vitFromTensors(checkpoint);
    if (spec.family == Family::T5) spec.t5 = t5FromTensors(checkpoint);
    if (known.empty()) return;
    const std::string where = checkpoint.folder().string();
    const Json json = config::parseObject(known, where);
    const Reader reader(json, where);
    if (spec.family == Family::Vit) {
        spec.vit = vitFromConfig(reader, std::move(spec.vit));
        return;
    }
    if (spec.family != Family::T5) return;
    const bool joined = spec.t5.heads == 0;
    spec.t5 = t5FromConfig(reader, spec.t5);
    if (joined && spec.t5.heads > 0 && !reader.has("d_kv")) spec.t5.dKv /= spec.t5.heads;
}

/// Blocks and experts that the tensors show, where there is no config.
ModelSpec specFromTensors(const Checkpoint& checkpoint, Family family) {
    ModelSpec spec;
    spec.family = family;
    readNumbers(spec, checkpoint);
    std::map<std::string, std::map<std::int64_t, std::int64_t>, std::greater<>> stacks;
    for (const TensorInfo& tensor : checkpoint.tensors()) {
        const std::optional<BlockTensor> place = blockTensor(family, tensor.name);
        if (!place || place->index >= kMostLayers) continue;
        std::int64_t& experts = stacks[place->stack][place->index];
        if (const auto e = expertOf(place->rest)) experts = std::max(experts, *e + 1);
    }
    for (const auto& [stack, blocks] : stacks) {
        const std::size_t first = spec.blocks.size();
        appendBlocks(spec.blocks, stack, blocks.rbegin()->first + 1);
        for (const auto& [index, experts] : blocks) {
            if (experts == 0) continue;
            MoeSpec moe;
            moe.experts = experts;
            if (stack == "decoder") moe.router = RouterKind::TopK;
            spec.blocks[first + static_cast<std::size_t>(index)].moe = moe;
        }
    }
    spec.vit.layers = static_cast<std::int64_t>(spec.blocks.size());
    return spec;
}

std::optional<std::int64_t> leadingNumber(std::string_view& text) noexcept {
    std::int64_t number = -1;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty() || text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
    return number;
}

struct StackName {
    Family family;
    std::string_view prefix;
    const char* stack;
    const char* layersKey;
};

constexpr std::array<StackName, 5> kStacks{
    {{Family::Vit, "vit.encoder.layer.", "encoder", "num_hidden_layers"},
     {Family::Vit, "encoder.layer.", "encoder", "num_hidden_layers"},
     {Family::T5, "encoder.block.", "encoder", "num_layers"},
     {Family::T5, "decoder.block.", "decoder", "num_decoder_layers"},
     {Family::Llama, "model.layers.", "decoder", "num_hidden_layers"}}};

}  // namespace

std::string configWhere(const Checkpoint& checkpoint) {
    if (checkpoint.format() != "hdf5") return (checkpoint.folder() / "config.json").string();
    const std::vector<std::string> files = checkpoint.files();
    return (checkpoint.folder() / (files.empty() ? "" : files.front())).string() +
           ": attribute config";
}

std::optional<BlockTensor> blockTensor(Family family, std::string_view tensor) {
    for (const StackName& known : kStacks) {
        if (known.family != family || !tensor.starts_with(known.prefix)) continue;
        std::string_view rest = tensor.substr(known.prefix.size());
        if (const auto index = leadingNumber(rest))
            return BlockTensor{known.stack, *index, std::string(rest), known.layersKey};
    }
    return std::nullopt;
}

std::optional<std::int64_t> expertOf(std::string_view rest) noexcept {
    constexpr std::string_view kMark = "mlp.experts.expert_";
    const std::size_t at = rest.find(kMark);
    if (at == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(at + kMark.size());
    return leadingNumber(rest);
}

VitNames vitNames(std::span<const TensorInfo> tensors) {
    for (const TensorInfo& tensor : tensors) {
        if (tensor.name.starts_with("vit.")) return {"vit."};
        if (tensor.name.starts_with("embeddings.") || tensor.name.starts_with("encoder.layer."))
            return {""};
    }
    return {};
}

ModelSpec readSpecUnchecked(const Checkpoint& checkpoint) {
    const std::optional<Family> family = familyFromTensors(checkpoint);
    if (!checkpoint.configText().empty()) {
        const std::string where = configWhere(checkpoint);
        const Json json = config::parseObject(checkpoint.configText(), where);
        checkHeads(json, where, checkpoint.layoutConfig());
        ModelSpec spec = specFromJson(json, where, family);
        if (spec.family == Family::T5) resolveOutput(spec.t5, Reader(json, where), checkpoint);
        return spec;
    }
    if (!family)
        throw Error(ErrorKind::BadInput,
                    checkpoint.folder().string() +
                        ": there is no config.json, and the tensors are of no known family",
                    "put the model's config.json beside the weights");
    return specFromTensors(checkpoint, *family);
}

ModelSpec specFromConfig(const std::string& configText, const std::string& where) {
    return specFromJson(config::parseObject(configText, where), where, std::nullopt);
}

std::string configTextOf(const ModelSpec& spec) {
    CORE_CHECK(spec.family != Family::Llama, "a family whose numbers are known");
    const Json json = spec.family == Family::Vit ? vitToConfig(spec.vit) : t5ToConfig(spec.t5);
    return json.dump(2) + "\n";
}

std::string configTextOf(const Checkpoint& checkpoint) {
    const std::optional<Family> family = familyFromTensors(checkpoint);
    if (!checkpoint.configText().empty() || !family || *family == Family::Llama)
        return checkpoint.configText();
    try {
        return configWithUpcycling({}, readSpec(checkpoint));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::BadInput) throw;
        return {};
    }
}

std::string configWithUpcycling(const std::string& configText, const ModelSpec& spec) {
    Json json =
        config::parseObject(configText.empty() ? configTextOf(spec) : configText, "config.json");
    const Json upcycling = upcyclingToJson(spec);
    if (upcycling.is_null())
        json.erase("upcycling");
    else
        json["upcycling"] = upcycling;
    return json.dump(2) + "\n";
}

}  // namespace core
