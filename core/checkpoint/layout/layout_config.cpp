// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/layout_config.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace core {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostBlocks = 10000;

const Shape* matrix(const Checkpoint& hf, const std::string& name) {
    const TensorInfo* const tensor = hf.find(name);
    return tensor != nullptr && tensor->shape.rank() == 2 ? &tensor->shape : nullptr;
}

std::int64_t countBlocks(const Checkpoint& hf, const char* stack) {
    std::int64_t count = 0;
    while (count < kMostBlocks &&
           hf.find(fmt::format("{}.block.{}.layer.0.SelfAttention.q.weight", stack, count)))
        ++count;
    return count;
}

struct T5Mlp {
    std::int64_t inner = 0;
    bool gated = false;
};

/// Of the first encoder block whose MLP is there, dense or sparse.
T5Mlp t5Mlp(const Checkpoint& hf, std::int64_t blocks) {
    for (std::int64_t i = 0; i < blocks; ++i)
        for (const char* place : {"DenseReluDense", "mlp.experts.expert_0", "mlp"})
            for (const bool gated : {true, false})
                if (const Shape* wi =
                        matrix(hf, fmt::format("encoder.block.{}.layer.1.{}.{}.weight", i, place,
                                               gated ? "wi_0" : "wi")))
                    return {(*wi)[0], gated};
    return {};
}

/// T5 v1.0 shares embedding and head even where a file names both; v1.1 (gated) never does.
bool isTied(const Checkpoint& hf, bool gated, const LayoutFacts& facts) {
    return hf.find("lm_head.weight") == nullptr || (!gated && !facts.headIsOwn);
}

/// T5Config from shapes alone: the relative-position table tells the heads.
Json t5Config(const Checkpoint& hf, const Shape& query, const LayoutFacts& facts) {
    const std::int64_t layers = countBlocks(hf, "encoder");
    const T5Mlp mlp = t5Mlp(hf, layers);
    Json json;
    json["architectures"] = {"T5ForConditionalGeneration"};
    json["model_type"] = "t5";
    json["is_encoder_decoder"] = true;
    if (const Shape* shared = matrix(hf, "shared.weight")) json["vocab_size"] = (*shared)[0];
    json["d_model"] = query[1];
    std::optional<std::int64_t> heads = facts.heads;
    if (const Shape* table =
            matrix(hf, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")) {
        json["relative_attention_num_buckets"] = (*table)[0];
        heads = (*table)[1];
    }
    if (heads && *heads > 0 && query[0] % *heads == 0) json["d_kv"] = query[0] / *heads;
    if (heads) json["num_heads"] = *heads;
    if (mlp.inner > 0) json["d_ff"] = mlp.inner;
    json["feed_forward_proj"] = mlp.gated ? "gated-gelu" : "relu";
    json["num_layers"] = layers;
    json["num_decoder_layers"] = countBlocks(hf, "decoder");
    json["layer_norm_epsilon"] = 1e-6;
    json["tie_word_embeddings"] = isTied(hf, mlp.gated, facts);
    json["decoder_start_token_id"] = 0;
    json["eos_token_id"] = 1;
    json["pad_token_id"] = 0;
    return json;
}

}  // namespace

std::string makeLayoutConfig(const Checkpoint& hf, const LayoutFacts& facts) {
    Json json = Json::object();
    const Shape* const query = matrix(hf, "encoder.block.0.layer.0.SelfAttention.q.weight");
    if (query != nullptr) {
        json = t5Config(hf, *query, facts);
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
