// SPDX-License-Identifier: Apache-2.0
// google-research/vmoe's tree (vmoe/nn/vit_moe.py): a dense block has Mlp/, a sparse one Moe/ with
// the experts of each array along its first axis.
#include "core/checkpoint/layout/layout_tables.h"

#include <array>

namespace core {
namespace {

constexpr std::array kRules = std::to_array<NameRule>({
    {"cls", "vit.embeddings.cls_token"},
    {"embedding/kernel", "vit.embeddings.patch_embeddings.projection.weight", Axes::Convolution},
    {"embedding/bias", "vit.embeddings.patch_embeddings.projection.bias"},
    {"Encoder/posembed_input/pos_embedding", "vit.embeddings.position_embeddings"},
    {"Encoder/encoderblock_{i}/LayerNorm_0/scale", "vit.encoder.layer.{i}.layernorm_before.weight"},
    {"Encoder/encoderblock_{i}/LayerNorm_0/bias", "vit.encoder.layer.{i}.layernorm_before.bias"},
    {"Encoder/encoderblock_{i}/LayerNorm_1/scale", "vit.encoder.layer.{i}.layernorm_after.weight"},
    {"Encoder/encoderblock_{i}/LayerNorm_1/bias", "vit.encoder.layer.{i}.layernorm_after.bias"},
    {"Encoder/encoderblock_{i}/SelfAttention/query/kernel",
     "vit.encoder.layer.{i}.attention.attention.query.weight", Axes::HeadsOut},
    {"Encoder/encoderblock_{i}/SelfAttention/query/bias",
     "vit.encoder.layer.{i}.attention.attention.query.bias", Axes::HeadsBias},
    {"Encoder/encoderblock_{i}/SelfAttention/key/kernel",
     "vit.encoder.layer.{i}.attention.attention.key.weight", Axes::HeadsOut},
    {"Encoder/encoderblock_{i}/SelfAttention/key/bias",
     "vit.encoder.layer.{i}.attention.attention.key.bias", Axes::HeadsBias},
    {"Encoder/encoderblock_{i}/SelfAttention/value/kernel",
     "vit.encoder.layer.{i}.attention.attention.value.weight", Axes::HeadsOut},
    {"Encoder/encoderblock_{i}/SelfAttention/value/bias",
     "vit.encoder.layer.{i}.attention.attention.value.bias", Axes::HeadsBias},
    {"Encoder/encoderblock_{i}/SelfAttention/out/kernel",
     "vit.encoder.layer.{i}.attention.output.dense.weight", Axes::HeadsIn},
    {"Encoder/encoderblock_{i}/SelfAttention/out/bias",
     "vit.encoder.layer.{i}.attention.output.dense.bias"},
    {"Encoder/encoderblock_{i}/Mlp/Dense_0/kernel",
     "vit.encoder.layer.{i}.intermediate.dense.weight", Axes::Transposed},
    {"Encoder/encoderblock_{i}/Mlp/Dense_0/bias", "vit.encoder.layer.{i}.intermediate.dense.bias"},
    {"Encoder/encoderblock_{i}/Mlp/Dense_1/kernel", "vit.encoder.layer.{i}.output.dense.weight",
     Axes::Transposed},
    {"Encoder/encoderblock_{i}/Mlp/Dense_1/bias", "vit.encoder.layer.{i}.output.dense.bias"},
    {"Encoder/encoderblock_{i}/Moe/Router/dense/kernel",
     "vit.encoder.layer.{i}.mlp.router.classifier.weight", Axes::Transposed},
    {"Encoder/encoderblock_{i}/Moe/Mlp/Dense_0/kernel",
     "vit.encoder.layer.{i}.mlp.experts.expert_{e}.intermediate.dense.weight", Axes::Transposed},
    {"Encoder/encoderblock_{i}/Moe/Mlp/Dense_0/bias",
     "vit.encoder.layer.{i}.mlp.experts.expert_{e}.intermediate.dense.bias"},
    {"Encoder/encoderblock_{i}/Moe/Mlp/Dense_1/kernel",
     "vit.encoder.layer.{i}.mlp.experts.expert_{e}.output.dense.weight", Axes::Transposed},
    {"Encoder/encoderblock_{i}/Moe/Mlp/Dense_1/bias",
     "vit.encoder.layer.{i}.mlp.experts.expert_{e}.output.dense.bias"},
    {"Encoder/encoder_norm/scale", "vit.layernorm.weight"},
    {"Encoder/encoder_norm/bias", "vit.layernorm.bias"},
    {"head/kernel", "classifier.weight", Axes::Transposed},
    {"head/bias", "classifier.bias"},
});

}  // namespace

std::span<const NameRule> vMoeRules() { return kRules; }

}  // namespace core
