// SPDX-License-Identifier: Apache-2.0
// Google's ViT .npz: the tree of vit_jax/models_vit.py with the block-wise numbers that Flax before
// Linen gave (LayerNorm_0, MultiHeadDotProductAttention_1, LayerNorm_2, MlpBlock_3), in all
// published files up to AugReg. vit_jax writes it with Linen's numbers too, and so does big_vision.
#include "core/checkpoint/layout/layout_tables.h"

#include <array>

namespace core {
namespace {

constexpr std::array kRules = std::to_array<NameRule>({
    {"cls", "vit.embeddings.cls_token"},
    {"embedding/kernel", "vit.embeddings.patch_embeddings.projection.weight", Axes::Convolution},
    {"embedding/bias", "vit.embeddings.patch_embeddings.projection.bias"},
    {"Transformer/posembed_input/pos_embedding", "vit.embeddings.position_embeddings"},
    {"Transformer/encoderblock_{i}/LayerNorm_0/scale",
     "vit.encoder.layer.{i}.layernorm_before.weight"},
    {"Transformer/encoderblock_{i}/LayerNorm_0/bias",
     "vit.encoder.layer.{i}.layernorm_before.bias"},
    {"Transformer/encoderblock_{i}/LayerNorm_2/scale",
     "vit.encoder.layer.{i}.layernorm_after.weight"},
    {"Transformer/encoderblock_{i}/LayerNorm_2/bias", "vit.encoder.layer.{i}.layernorm_after.bias"},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/query/kernel",
     "vit.encoder.layer.{i}.attention.attention.query.weight", Axes::HeadsOut},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/query/bias",
     "vit.encoder.layer.{i}.attention.attention.query.bias", Axes::HeadsBias},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/key/kernel",
     "vit.encoder.layer.{i}.attention.attention.key.weight", Axes::HeadsOut},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/key/bias",
     "vit.encoder.layer.{i}.attention.attention.key.bias", Axes::HeadsBias},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/value/kernel",
     "vit.encoder.layer.{i}.attention.attention.value.weight", Axes::HeadsOut},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/value/bias",
     "vit.encoder.layer.{i}.attention.attention.value.bias", Axes::HeadsBias},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/out/kernel",
     "vit.encoder.layer.{i}.attention.output.dense.weight", Axes::HeadsIn},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_1/out/bias",
     "vit.encoder.layer.{i}.attention.output.dense.bias"},
    {"Transformer/encoderblock_{i}/MlpBlock_3/Dense_0/kernel",
     "vit.encoder.layer.{i}.intermediate.dense.weight", Axes::Transposed},
    {"Transformer/encoderblock_{i}/MlpBlock_3/Dense_0/bias",
     "vit.encoder.layer.{i}.intermediate.dense.bias"},
    {"Transformer/encoderblock_{i}/MlpBlock_3/Dense_1/kernel",
     "vit.encoder.layer.{i}.output.dense.weight", Axes::Transposed},
    {"Transformer/encoderblock_{i}/MlpBlock_3/Dense_1/bias",
     "vit.encoder.layer.{i}.output.dense.bias"},
    {"Transformer/encoder_norm/scale", "vit.layernorm.weight"},
    {"Transformer/encoder_norm/bias", "vit.layernorm.bias"},
    {"head/kernel", "classifier.weight", Axes::Transposed},
    {"head/bias", "classifier.bias"},

    // Linen's numbers, one count a kind of layer.
    {"Transformer/encoderblock_{i}/LayerNorm_1/scale",
     "vit.encoder.layer.{i}.layernorm_after.weight"},
    {"Transformer/encoderblock_{i}/LayerNorm_1/bias", "vit.encoder.layer.{i}.layernorm_after.bias"},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/query/kernel",
     "vit.encoder.layer.{i}.attention.attention.query.weight", Axes::HeadsOut},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/query/bias",
     "vit.encoder.layer.{i}.attention.attention.query.bias", Axes::HeadsBias},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/key/kernel",
     "vit.encoder.layer.{i}.attention.attention.key.weight", Axes::HeadsOut},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/key/bias",
     "vit.encoder.layer.{i}.attention.attention.key.bias", Axes::HeadsBias},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/value/kernel",
     "vit.encoder.layer.{i}.attention.attention.value.weight", Axes::HeadsOut},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/value/bias",
     "vit.encoder.layer.{i}.attention.attention.value.bias", Axes::HeadsBias},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/out/kernel",
     "vit.encoder.layer.{i}.attention.output.dense.weight", Axes::HeadsIn},
    {"Transformer/encoderblock_{i}/MultiHeadDotProductAttention_0/out/bias",
     "vit.encoder.layer.{i}.attention.output.dense.bias"},
    {"Transformer/encoderblock_{i}/MlpBlock_0/Dense_0/kernel",
     "vit.encoder.layer.{i}.intermediate.dense.weight", Axes::Transposed},
    {"Transformer/encoderblock_{i}/MlpBlock_0/Dense_0/bias",
     "vit.encoder.layer.{i}.intermediate.dense.bias"},
    {"Transformer/encoderblock_{i}/MlpBlock_0/Dense_1/kernel",
     "vit.encoder.layer.{i}.output.dense.weight", Axes::Transposed},
    {"Transformer/encoderblock_{i}/MlpBlock_0/Dense_1/bias",
     "vit.encoder.layer.{i}.output.dense.bias"},
});

}  // namespace

std::span<const NameRule> googleVitRules() { return kRules; }

}  // namespace core
