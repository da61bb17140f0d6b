// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"
#include "core/model/model.h"
#include "core/surgery/convert.h"
#include "core/tensor/convert.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <memory>
#include <string>
#include <vector>

namespace core::test {

/// A checkpoint of this config with random weights N(0.1, 1), by tensor name.
inline std::shared_ptr<const Checkpoint> writeRandom(const std::string& config, const Path& target,
                                                     DType dtype = DType::F32,
                                                     FileFormat format = FileFormat::Safetensors) {
    std::vector<TensorInfo> infos;
    for (const Parameter& parameter : describeParameters(specFromConfig(config, "config.json")))
        for (const ParameterPart& part : parameter.parts) {
            TensorInfo& info = infos.emplace_back();
            info.name = part.tensor;
            info.dtype = dtype;
            info.shape = part.shape;
        }
    WriterOptions options;
    options.configText = config;
    options.format = format;
    const auto writer = CheckpointWriter::create(target, infos, options);
    for (std::size_t i = 0; i < infos.size(); ++i) {
        std::vector<float> values(static_cast<std::size_t>(infos[i].shape.elements()));
        const CounterRandom random(hashName(1, infos[i].name));
        random.normals(0, values);
        for (float& value : values) value += 0.1F;
        std::vector<std::byte> bytes(values.size() * dtypeBytes(dtype));
        fromFloats(bytes.data(), dtype, values);
        writer->write(i, bytes);
    }
    writer->commit();
    return Checkpoint::open(target);
}

/// Numbers of a small dense ViT; hidden 8, 2 heads, 3x3 patches.
struct SmallVit {
    int layers = 4;
    std::int64_t hidden = 8;
    std::int64_t inner = 12;
    std::int64_t image = 6;
    DType dtype = DType::F32;
    std::string further = {};  ///< more of config.json, ending in a comma

    std::string config() const {
        return "{" + further + "\"model_type\": \"vit\", \"architectures\": " +
               "[\"ViTForImageClassification\"], \"hidden_size\": " + std::to_string(hidden) +
               ", \"intermediate_size\": " + std::to_string(inner) +
               ", \"num_hidden_layers\": " + std::to_string(layers) +
               ", \"num_attention_heads\": 2, \"image_size\": " + std::to_string(image) +
               ", \"patch_size\": 2, \"num_channels\": 1, \"qkv_bias\": true, \"hidden_act\": "
               "\"gelu\", \"layer_norm_eps\": 1e-06, \"torch_dtype\": \"float32\", \"id2label\": "
               "{\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}}";
    }
    ModelSpec spec() const { return specFromConfig(config(), "config.json"); }

    /// Random weights N(0.1, 1), by tensor name.
    std::shared_ptr<const Checkpoint> write(const Path& target,
                                            FileFormat format = FileFormat::Safetensors) const {
        return writeRandom(config(), target, dtype, format);
    }
};

/// Numbers of a small dense T5; d_model 6, d_ff 10, 3 heads of 2.
struct SmallT5 {
    int encoderLayers = 4;
    int decoderLayers = 4;
    bool gated = true;
    std::string further = {};  ///< more of config.json, ending in a comma

    std::string config() const {
        return "{" + further +
               R"("model_type": "t5", "architectures": ["T5ForConditionalGeneration"],
            "vocab_size": 11, "d_model": 6, "d_kv": 2, "d_ff": 10, "num_heads": 3, "num_layers": )" +
               std::to_string(encoderLayers) +
               ", \"num_decoder_layers\": " + std::to_string(decoderLayers) +
               ", \"relative_attention_num_buckets\": 8, \"feed_forward_proj\": " +
               (gated ? "\"gated-gelu\"" : "\"relu\"") +
               ", \"tie_word_embeddings\": " + (gated ? "false" : "true") + "}";
    }
    ModelSpec spec() const { return specFromConfig(config(), "config.json"); }
    std::shared_ptr<const Checkpoint> write(const Path& target) const {
        return writeRandom(config(), target);
    }
};

inline LayerPlan moeLayer(std::int64_t experts, ExpertInit from = {}) {
    LayerPlan layer;
    layer.moe.experts = experts;
    layer.experts = from;
    return layer;
}

inline ConvertResult convert(const Checkpoint& source, const SurgeryPlan& plan, const Path& target,
                             const ConvertOptions& options = {}) {
    const std::atomic<bool> cancel{false};
    return convertCheckpoint(source, plan, target, options, {}, cancel);
}

inline std::vector<float> valuesOf(const Checkpoint& checkpoint, const std::string& name) {
    const TensorInfo* info = checkpoint.find(name);
    EXPECT_NE(info, nullptr) << name;
    return info == nullptr ? std::vector<float>() : checkpoint.readFloats(*info);
}

inline std::string expertTensor(int layer, int expert, const std::string& piece) {
    return "vit.encoder.layer." + std::to_string(layer) + ".mlp.experts.expert_" +
           std::to_string(expert) + "." + piece;
}
inline std::string denseTensor(int layer, const std::string& piece) {
    return "vit.encoder.layer." + std::to_string(layer) + "." + piece;
}

inline const std::vector<std::string>& mlpPieces() {
    static const std::vector<std::string> pieces{"intermediate.dense.weight",
                                                 "intermediate.dense.bias", "output.dense.weight",
                                                 "output.dense.bias"};
    return pieces;
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace core::test
