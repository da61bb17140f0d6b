// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/t5_shapes.h"
#include "core/model/t5_config_internal.h"
#include "core/model/vit_config_internal.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace core {
namespace {

using config::Json;
using config::Reader;

constexpr std::int64_t kMostDistance = std::int64_t{1} << 30;

/// What MT5Config and SwitchTransformersConfig give where a key is missing.
T5Spec defaultsOf(const std::string& modelType) {
    T5Spec t5;
    if (modelType == "mt5") {
        t5.vocab = 250112;
        t5.dFf = 1024;
        t5.encoderLayers = t5.decoderLayers = 8;
        t5.heads = 6;
        t5.tiedEmbeddings = false;
        t5.gated = true;
        t5.activation = Activation::GeluTanh;
    } else if (modelType == "switch_transformers") {
        t5.dModel = 768;
        t5.encoderLayers = t5.decoderLayers = t5.heads = 12;
        t5.switchNames = true;
    }
    return t5;
}

/// "relu", "gated-gelu" (tanh GELU, whatever the word says: transformers' way with T5 v1.1),
/// "gated-silu", ...; dense_act_fn and is_gated_act, where a config has them, count more.
void readFeedForward(const Reader& reader, T5Spec& t5) {
    constexpr const char* kKey = "feed_forward_proj";
    constexpr const char* kExpected = "relu, gelu, gelu_new, silu, or gated- and one of these";
    if (reader.has(kKey)) {
        constexpr std::string_view kGated = "gated-";
        std::string name = reader.text(kKey, "");
        t5.gated = name.starts_with(kGated);
        if (name == "gated-gelu") name = "gated-gelu_new";
        const auto activation = config::activationFromName(
            t5.gated ? std::string_view(name).substr(kGated.size()) : std::string_view(name));
        if (!activation) reader.refuse(kKey, kExpected);
        t5.activation = *activation;
    }
    if (reader.has("dense_act_fn")) {
        const auto activation = config::activationFromName(reader.text("dense_act_fn", ""));
        if (!activation) reader.refuse("dense_act_fn", "relu, gelu, gelu_new or silu");
        t5.activation = *activation;
    }
    t5.gated = reader.boolean("is_gated_act", t5.gated);
}

/// Was the file written by version 5 or later of transformers?
bool isOfVersion5(const Reader& reader) {
    const Json* version = reader.find("transformers_version");
    if (version == nullptr || !version->is_string()) return false;
    const std::string text = version->get<std::string>();
    int major = 0;
    std::from_chars(text.data(), text.data() + text.size(), major);
    return major >= 5;
}

/// transformers 4 scales the output of a T5 exactly when it is tied. Version 5 says tie true of
/// every T5 and scale_decoder_outputs false of a v1.1, whose output matrix is commonly its own; an
/// mT5's output it never scales.
void readOutput(const Reader& reader, T5Spec& t5, const std::string& modelType) {
    t5.tiedEmbeddings = reader.boolean("tie_word_embeddings", t5.tiedEmbeddings);
    const bool scaled = t5.tiedEmbeddings && !(modelType == "mt5" && isOfVersion5(reader));
    t5.scaledOutput = reader.boolean("scale_decoder_outputs", scaled);
    t5.tiedEmbeddings = t5.tiedEmbeddings && t5.scaledOutput;
}

bool isEncoderAlone(const Reader& reader) {
    const Json* architectures = reader.find("architectures");
    return architectures != nullptr && architectures->is_array() && !architectures->empty() &&
           architectures->front().is_string() &&
           architectures->front().get<std::string>().ends_with("EncoderModel");
}

/// A token's number; of a list (as generation configs have them) the first.
std::int64_t token(const Reader& reader, const char* key, std::int64_t otherwise) {
    const Json* value = reader.find(key);
    if (value == nullptr || !value->is_array())
        return reader.integer(key, otherwise, -1, kMostSize);
    if (value->empty() || !value->front().is_number_integer())
        reader.refuse(key, "a token's number");
    return value->front().get<std::int64_t>();
}

double share(const Reader& reader, const char* key, float otherwise) {
    const double value = reader.number(key, static_cast<double>(otherwise));
    if (!(value >= 0 && value <= 1)) reader.refuse(key, "a number from 0 to 1");
    return value;
}

}  // namespace

T5Spec t5FromConfig(const Reader& reader) {
    const std::string type =
        reader.has("model_type") ? reader.text("model_type", "") : std::string("t5");
    T5Spec t5 = defaultsOf(type);
    if (!t5.switchNames)
        t5.decoderLayers = reader.integer("num_layers", t5.encoderLayers, 0, kMostLayers);
    return t5FromConfig(reader, t5);
}

T5Spec t5FromConfig(const Reader& reader, T5Spec t5) {
    t5.vocab = reader.integer("vocab_size", t5.vocab, 1, kMostSize);
    t5.dModel = reader.integer("d_model", t5.dModel, 1, kMostSize);
    t5.dKv = reader.integer("d_kv", t5.dKv, 1, kMostSize);
    t5.dFf = reader.integer("d_ff", t5.dFf, 1, 4 * kMostSize);
    t5.heads = reader.integer("num_heads", t5.heads, 1, kMostSize);
    t5.encoderLayers = reader.integer("num_layers", t5.encoderLayers, 0, kMostLayers);
    t5.decoderLayers = reader.integer("num_decoder_layers", t5.decoderLayers, 0, kMostLayers);
    if (isEncoderAlone(reader)) t5.decoderLayers = 0;
    t5.relativeBuckets =
        reader.integer("relative_attention_num_buckets", t5.relativeBuckets, 1, kMostSize);
    t5.relativeMaxDistance =
        reader.integer("relative_attention_max_distance", t5.relativeMaxDistance, 1, kMostDistance);
    readFeedForward(reader, t5);
    readOutput(reader, t5, reader.has("model_type") ? reader.text("model_type", "") : "");
    t5.layerNormEpsilon =
        static_cast<float>(share(reader, "layer_norm_epsilon", t5.layerNormEpsilon));
    t5.dropout = static_cast<float>(share(reader, "dropout_rate", t5.dropout));
    t5.initializerFactor = reader.number("initializer_factor", t5.initializerFactor);
    if (!(t5.initializerFactor >= 0 && t5.initializerFactor <= 1000))
        reader.refuse("initializer_factor", "a number from 0 to 1000");
    t5.padToken = token(reader, "pad_token_id", t5.padToken);
    t5.eosToken = token(reader, "eos_token_id", t5.eosToken);
    t5.decoderStartToken = token(reader, "decoder_start_token_id", t5.padToken);
    return t5;
}

void resolveOutput(T5Spec& t5, const Reader& reader, const Checkpoint& checkpoint) {
    if (!t5.scaledOutput || isOfVersion5(reader)) t5.tiedEmbeddings = !hasT5Head(checkpoint);
}

Json t5ToConfig(const T5Spec& t5) {
    Json json;
    json["architectures"] = {t5.decoderLayers == 0 ? "T5EncoderModel"
                                                   : "T5ForConditionalGeneration"};
    json["model_type"] = "t5";
    json["is_encoder_decoder"] = t5.decoderLayers > 0;
    json["vocab_size"] = t5.vocab;
    json["d_model"] = t5.dModel;
    json["d_kv"] = t5.dKv;
    json["d_ff"] = t5.dFf;
    json["num_layers"] = t5.encoderLayers;
    json["num_decoder_layers"] = t5.decoderLayers;
    json["num_heads"] = t5.heads;
    json["relative_attention_num_buckets"] = t5.relativeBuckets;
    json["relative_attention_max_distance"] = t5.relativeMaxDistance;
    const bool gelu = t5.gated && t5.activation == Activation::GeluTanh;
    const std::string activation(config::activationName(t5.activation));
    json["feed_forward_proj"] = gelu ? "gated-gelu" : (t5.gated ? "gated-" : "") + activation;
    json["dropout_rate"] = config::shortNumber(t5.dropout);
    json["layer_norm_epsilon"] = config::shortNumber(t5.layerNormEpsilon);
    json["initializer_factor"] = t5.initializerFactor;
    json["tie_word_embeddings"] = t5.tiedEmbeddings;
    if (t5.scaledOutput != t5.tiedEmbeddings) json["scale_decoder_outputs"] = t5.scaledOutput;
    json["pad_token_id"] = t5.padToken;
    json["eos_token_id"] = t5.eosToken;
    json["decoder_start_token_id"] = t5.decoderStartToken;
    return json;
}

std::int64_t switchSequence(const Reader& reader) {
    return reader.integer("n_positions", 512, 1, kMostDistance);
}

void readSwitchBlocks(const Reader& reader, ModelSpec& spec) {
    const std::int64_t experts = reader.integer("num_experts", 8, 1, kMostSize);
    const std::int64_t capacity =
        reader.integer("expert_capacity", 64, 1, std::numeric_limits<std::int32_t>::max());
    const std::int64_t sequence = switchSequence(reader);
    MoeSpec moe;
    moe.experts = experts;
    moe.router = RouterKind::TopK;
    moe.k = 1;
    moe.renormalize = false;
    moe.group = {GroupSize::Kind::Sequence, 0};
    moe.fixedSlots = capacity;
    moe.dropless = capacity >= sequence;
    if (!moe.dropless)
        moe.capacity = static_cast<double>(capacity) * static_cast<double>(experts) /
                       static_cast<double>(sequence);
    const auto step = [&](const std::string& stack, std::int64_t layers) {
        const std::int64_t sparse =
            reader.integer(fmt::format("num_sparse_{}_layers", stack).c_str(), 3, 0, kMostLayers);
        return reader.integer(fmt::format("{}_sparse_step", stack).c_str(),
                              sparse > 0 ? layers / sparse : layers, 0, kMostLayers);
    };
    const std::int64_t encoder = step("encoder", spec.t5.encoderLayers);
    const std::int64_t decoder = step("decoder", spec.t5.decoderLayers);
    for (BlockSpec& block : spec.blocks) {
        if (!isSwitchSparse(block.index, block.stack == "encoder" ? encoder : decoder)) continue;
        validate(moe, fmt::format("{}: {}", reader.where(), block.name), block.stack == "decoder");
        block.moe = moe;
    }
}

}  // namespace core
