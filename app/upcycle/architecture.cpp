// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/architecture.h"

#include "app/upcycle/output.h"
#include "core/base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

std::string_view activationWord(core::Activation activation) {
    switch (activation) {
        case core::Activation::GeluErf:
            return "gelu";
        case core::Activation::GeluTanh:
            return "gelu_tanh";
        case core::Activation::Relu:
            return "relu";
        case core::Activation::Silu:
            break;
    }
    return "silu";
}

Json vitJson(const core::VitSpec& vit) {
    return {{"image_size", vit.imageSize},
            {"patch_size", vit.patchSize},
            {"channels", vit.channels},
            {"hidden", vit.hidden},
            {"intermediate", vit.intermediate},
            {"heads", vit.heads},
            {"layers", vit.layers},
            {"classes", vit.classes},
            {"activation", activationWord(vit.activation)},
            {"layer_norm_eps", std::stod(fmt::format("{}", vit.layerNormEpsilon))},
            {"qkv_bias", vit.qkvBias}};
}

Json t5Json(const core::T5Spec& t5) {
    return {{"vocabulary", t5.vocab},
            {"hidden", t5.dModel},
            {"intermediate", t5.dFf},
            {"heads", t5.heads},
            {"head_size", t5.dKv},
            {"encoder_layers", t5.encoderLayers},
            {"decoder_layers", t5.decoderLayers},
            {"relative_attention_buckets", t5.relativeBuckets},
            {"relative_attention_max_distance", t5.relativeMaxDistance},
            {"activation", activationWord(t5.activation)},
            {"gated", t5.gated},
            {"tied_embeddings", t5.tiedEmbeddings},
            {"layer_norm_eps", std::stod(fmt::format("{}", t5.layerNormEpsilon))}};
}

/// Numbers, switches and short words of config.json.
Json plainValues(const std::string& configText) {
    const Json config = Json::parse(configText, nullptr, false);
    Json plain = Json::object();
    if (!config.is_object()) return plain;
    for (const auto& [key, value] : config.items())
        if (value.is_primitive() && !value.is_null()) plain[key] = value;
    return plain;
}

std::optional<core::ModelSpec> seenIn(const core::Checkpoint& checkpoint) {
    try {
        return core::readSpecUnchecked(checkpoint);
    } catch (const core::Error&) {
        return std::nullopt;  // no known family
    }
}

std::string headsText(std::int64_t heads) {
    return heads > 0 ? fmt::format("{} heads", heads) : "heads unknown";
}

}  // namespace

Architecture architectureOf(const core::Checkpoint& checkpoint) {
    Architecture architecture;
    architecture.layout = checkpoint.layout();
    try {
        architecture.spec = core::readSpec(checkpoint);
        architecture.family = core::familyName(architecture.spec->family);
    } catch (const core::Error& error) {
        architecture.problem = error.what();
        const Json config = Json::parse(checkpoint.configText(), nullptr, false);
        if (config.is_object() && config.contains("model_type") && config["model_type"].is_string())
            architecture.family = config["model_type"].get<std::string>();
        else
            architecture.seen = seenIn(checkpoint);
        if (architecture.seen) architecture.family = core::familyName(architecture.seen->family);
    }
    return architecture;
}

Json architectureJson(const Architecture& architecture, const std::string& configText) {
    if (architecture.spec && architecture.spec->family == core::Family::Vit)
        return vitJson(architecture.spec->vit);
    if (architecture.spec && architecture.spec->family == core::Family::T5)
        return t5Json(architecture.spec->t5);
    return plainValues(configText);
}

Json blocksJson(const core::ModelSpec& spec) {
    Json blocks = Json::array();
    for (const core::BlockSpec& block : spec.blocks) {
        Json entry{{"name", block.name},
                   {"stack", block.stack},
                   {"index", block.index},
                   {"mlp", block.moe ? "moe" : "dense"}};
        if (block.moe) {
            entry["experts"] = block.moe->experts;
            entry["router"] = core::routerName(block.moe->router);
            if (!block.moe->dropless) entry["capacity"] = block.moe->capacity;
            if (block.moe->router == core::RouterKind::TopK) entry["k"] = block.moe->k;
        }
        blocks.push_back(std::move(entry));
    }
    return blocks;
}

std::string architectureLine(const Architecture& architecture) {
    if (!architecture.spec && !architecture.seen) return architecture.family;
    const core::ModelSpec& spec = architecture.spec ? *architecture.spec : *architecture.seen;
    const auto sparse = std::count_if(spec.blocks.begin(), spec.blocks.end(),
                                      [](const core::BlockSpec& block) { return block.moe; });
    std::string line =
        fmt::format("{}, {} blocks ({} MoE)", architecture.family, spec.blocks.size(), sparse);
    if (spec.family == core::Family::Vit)
        line += fmt::format(", hidden {}, MLP {}, {}, images {}x{}x{} in patches of {}, {} classes",
                            spec.vit.hidden, spec.vit.intermediate, headsText(spec.vit.heads),
                            spec.vit.imageSize, spec.vit.imageSize, spec.vit.channels,
                            spec.vit.patchSize, spec.vit.classes);
    if (spec.family == core::Family::T5)
        line +=
            fmt::format(", hidden {}, {}MLP {} ({}), {} of {}, vocabulary {}{}", spec.t5.dModel,
                        spec.t5.gated ? "gated " : "", spec.t5.dFf,
                        activationWord(spec.t5.activation), headsText(spec.t5.heads), spec.t5.dKv,
                        spec.t5.vocab, spec.t5.tiedEmbeddings ? ", tied embeddings" : "");
    return line;
}

}  // namespace upcycle
