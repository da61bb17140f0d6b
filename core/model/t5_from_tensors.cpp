// SPDX-License-Identifier: Apache-2.0
#include "core/model/read_spec_internal.h"
#include "core/model/t5_config_internal.h"
#include "core/model/vit_config_internal.h"

#include <algorithm>

namespace core {
namespace {

const Shape* matrix(const TensorInfo* tensor) {
    return tensor != nullptr && tensor->shape.rank() == 2 && tensor->shape[0] > 0 &&
                   tensor->shape[1] > 0
               ? &tensor->shape
               : nullptr;
}

const Shape* embedding(const Checkpoint& checkpoint) {
    for (const char* name :
         {"shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"})
        if (const Shape* shape = matrix(checkpoint.find(name))) return shape;
    return nullptr;
}

void readBlockTensor(const std::string& rest, const Shape& shape, T5Spec& t5) {
    const auto ends = [&](const char* name) { return rest.ends_with(name); };
    if (ends("SelfAttention.relative_attention_bias.weight")) {
        t5.relativeBuckets = shape[0];
        t5.heads = shape[1];
    } else if (ends(".wi.weight") || ends(".wi_0.weight")) {
        t5.dFf = shape[0];
        t5.gated = ends(".wi_0.weight");
    } else if (ends("SelfAttention.q.weight")) {
        t5.dKv = shape[0];  // of all heads; divided when the heads are known
    }
    t5.switchNames = t5.switchNames || ends(".mlp.wi.weight");
}

}  // namespace

T5Spec t5FromTensors(const Checkpoint& checkpoint) {
    T5Spec t5;
    const Shape* embeddings = embedding(checkpoint);
    t5.vocab = embeddings == nullptr ? 0 : (*embeddings)[0];
    t5.dModel = embeddings == nullptr ? 0 : (*embeddings)[1];
    t5.heads = 0;
    t5.encoderLayers = t5.decoderLayers = 0;
    for (const TensorInfo& tensor : checkpoint.tensors()) {
        const std::optional<BlockTensor> place = blockTensor(Family::T5, tensor.name);
        if (!place || place->index >= kMostLayers) continue;
        if (matrix(&tensor) != nullptr) readBlockTensor(place->rest, tensor.shape, t5);
        std::int64_t& layers = place->stack == "encoder" ? t5.encoderLayers : t5.decoderLayers;
        layers = std::max(layers, place->index + 1);
    }
    if (t5.heads > 0 && t5.dKv % t5.heads != 0) t5.heads = 0;
    if (t5.heads > 0) t5.dKv /= t5.heads;
    t5.activation = t5.gated ? Activation::GeluTanh : Activation::Relu;
    t5.tiedEmbeddings = t5.scaledOutput = checkpoint.find("lm_head.weight") == nullptr;
    return t5;
}

void resolveOutput(T5Spec& t5, const Checkpoint& checkpoint) {
    if (!t5.scaledOutput) t5.tiedEmbeddings = checkpoint.find("lm_head.weight") == nullptr;
}

}  // namespace core
