// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/layout_config.h"

#include "core/base/error.h"
#include "core/checkpoint/layout/t5_shapes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace core {
namespace {

using Json = nlohmann::ordered_json;

bool isT5(const Checkpoint& hf) {
    const TensorInfo* query = hf.find("encoder.block.0.layer.0.SelfAttention.q.weight");
    return query != nullptr && query->shape.rank() == 2;
}

/// T5 v1.0 shares embedding and head even where a file names both; v1.1 (gated) never does.
bool isTied(const Checkpoint& hf, bool gated, const LayoutFacts& facts) {
    return !hasT5Head(hf) || (!gated && !facts.headIsOwn);
}

/// T5Config from shapes alone: the relative-position table tells the heads.
Json t5Config(const Checkpoint& hf, const LayoutFacts& facts) {
    const T5Shapes shapes = t5Shapes(hf);
    const std::int64_t heads = shapes.heads > 0 ? shapes.heads : facts.heads.value_or(0);
    Json json;
    json["architectures"] = {"T5ForConditionalGeneration"};
    json["model_type"] = "t5";
    json["is_encoder_decoder"] = true;
    if (shapes.vocab > 0) json["vocab_size"] = shapes.vocab;
    if (shapes.dModel > 0) json["d_model"] = shapes.dModel;
    if (shapes.relativeBuckets > 0) json["relative_attention_num_buckets"] = shapes.relativeBuckets;
    if (heads > 0 && shapes.inner % heads == 0) json["d_kv"] = shapes.inner / heads;
    if (heads > 0) json["num_heads"] = heads;
    if (shapes.dFf > 0) json["d_ff"] = shapes.dFf;
    json["feed_forward_proj"] = shapes.gated ? "gated-gelu" : "relu";
    json["num_layers"] = shapes.encoderLayers;
    json["num_decoder_layers"] = shapes.decoderLayers;
    json["layer_norm_epsilon"] = 1e-6;
    json["tie_word_embeddings"] = isTied(hf, shapes.gated, facts);
    json["decoder_start_token_id"] = 0;
    json["eos_token_id"] = 1;
    json["pad_token_id"] = 0;
    return json;
}

}  // namespace

std::string makeLayoutConfig(const Checkpoint& hf, const LayoutFacts& facts) {
    Json json = Json::object();
    if (isT5(hf)) {
        json = t5Config(hf, facts);
    } else {
        if (facts.heads) json["num_attention_heads"] = *facts.heads;
        if (facts.flaxVit) {
            json["layer_norm_eps"] = 1e-6;
            json["hidden_act"] = "gelu_new";
        }
    }
    return json.empty() ? std::string() : json.dump(2);
}

std::string withImageSizeKey(const std::string& config, std::int64_t size,
                             const std::string& where) {
    Json json = config.empty() ? Json::object() : Json::parse(config, nullptr, false);
    if (!json.is_object())
        throw Error(ErrorKind::BadInput, fmt::format("{}: not a JSON object", where),
                    "the file is damaged; restore it");
    json["image_size"] = size;
    return json.dump(2) + "\n";
}

}  // namespace core
