// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/t5_shapes.h"

#include <algorithm>
#include <charconv>

namespace core {
namespace {

constexpr std::int64_t kMostLayers = 10000;

bool isMatrix(const TensorInfo& tensor) {
    return tensor.shape.rank() == 2 && tensor.shape[0] > 0 && tensor.shape[1] > 0;
}

/// The number in "encoder.block.7.layer.0..." and what stands behind it; -1 where there is none.
struct InStack {
    std::int64_t block = -1;
    std::string_view rest;
};

InStack inStack(std::string_view name, std::string_view stack) {
    if (!name.starts_with(stack)) return {};
    name.remove_prefix(stack.size());
    std::int64_t block = -1;
    const char* const last = name.data() + name.size();
    const auto [end, problem] = std::from_chars(name.data(), last, block);
    if (problem != std::errc() || end == last || *end != '.' || block >= kMostLayers) return {};
    return {block, {end + 1, last}};
}

void readMatrix(std::string_view rest, const Shape& shape, T5Shapes& shapes) {
    if (rest.ends_with("SelfAttention.relative_attention_bias.weight")) {
        shapes.relativeBuckets = shape[0];
        shapes.heads = shape[1];
    } else if (rest.ends_with(".wi.weight") || rest.ends_with(".wi_0.weight")) {
        shapes.dFf = shape[0];
        shapes.gated = rest.ends_with(".wi_0.weight");
    } else if (rest.ends_with("SelfAttention.q.weight")) {
        shapes.inner = shape[0];
    }
    shapes.switchNames = shapes.switchNames || rest.ends_with(".mlp.wi.weight");
}

}  // namespace

T5Shapes t5Shapes(const Checkpoint& hf) {
    T5Shapes shapes;
    for (const char* name :
         {"decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "shared.weight"})
        if (const TensorInfo* embedding = hf.find(name); embedding && isMatrix(*embedding)) {
            shapes.vocab = embedding->shape[0];
            shapes.dModel = embedding->shape[1];
        }
    for (const TensorInfo& tensor : hf.tensors())
        for (const bool encoder : {true, false}) {
            const InStack place =
                inStack(tensor.name, encoder ? "encoder.block." : "decoder.block.");
            if (place.block < 0) continue;
            std::int64_t& layers = encoder ? shapes.encoderLayers : shapes.decoderLayers;
            layers = std::max(layers, place.block + 1);
            if (isMatrix(tensor)) readMatrix(place.rest, tensor.shape, shapes);
        }
    return shapes;
}

bool hasT5Head(const Checkpoint& hf) { return hf.find("lm_head.weight") != nullptr; }

}  // namespace core
