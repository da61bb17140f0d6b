// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/cell_tensors.h"

#include <charconv>
#include <string>

namespace ui {
namespace {

bool skip(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// Takes "12." off the front.
std::optional<int> skipIndex(std::string_view& text) {
    int index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc() || end == text.data() + text.size() || *end != '.') return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return index;
}

std::string blockName(std::string_view stack, int index) {
    return std::string(stack) + "." + std::to_string(index);
}

struct PrefixPart {
    std::string_view prefix;
    Part part;
};

std::optional<Part> partOf(std::span<const PrefixPart> table, std::string_view rest) {
    for (const PrefixPart& entry : table)
        if (rest.starts_with(entry.prefix)) return entry.part;
    return {};
}

std::optional<CellId> blockCell(std::string_view stack, std::string_view rest,
                                std::span<const PrefixPart> table) {
    const std::optional<int> index = skipIndex(rest);
    if (!index) return {};
    const std::optional<Part> part = partOf(table, rest);
    if (!part) return {};
    return CellId{blockName(stack, *index), *part};
}

std::optional<CellId> stackCell(std::string_view stack, std::string_view rest,
                                std::span<const PrefixPart> table) {
    const std::optional<Part> part = partOf(table, rest);
    if (!part) return {};
    return CellId{std::string(stack), *part};
}

std::optional<CellId> vitCell(std::string_view name) {
    static constexpr PrefixPart kBlock[] = {{"layernorm_before.", Part::AttentionNorm},
                                            {"attention.", Part::Attention},
                                            {"layernorm_after.", Part::MlpNorm},
                                            {"intermediate.", Part::Mlp},
                                            {"output.", Part::Mlp},
                                            {"mlp.", Part::Mlp}};
    static constexpr PrefixPart kStack[] = {{"embeddings.", Part::Embedding},
                                            {"layernorm.", Part::FinalNorm},
                                            {"pooler.", Part::Head},
                                            {"classifier.", Part::Head}};
    skip(name, "vit.");
    if (skip(name, "encoder.layer.")) return blockCell("encoder", name, kBlock);
    return stackCell("encoder", name, kStack);
}

std::optional<CellId> t5Cell(std::string_view name) {
    static constexpr PrefixPart kEncoder[] = {{"layer.0.layer_norm.", Part::AttentionNorm},
                                              {"layer.0.", Part::Attention},
                                              {"layer.1.layer_norm.", Part::MlpNorm},
                                              {"layer.1.", Part::Mlp}};
    static constexpr PrefixPart kDecoder[] = {
        {"layer.0.layer_norm.", Part::AttentionNorm}, {"layer.0.", Part::Attention},
        {"layer.1.layer_norm.", Part::CrossNorm},     {"layer.1.", Part::CrossAttention},
        {"layer.2.layer_norm.", Part::MlpNorm},       {"layer.2.", Part::Mlp}};
    static constexpr PrefixPart kStack[] = {{"embed_tokens.", Part::Embedding},
                                            {"final_layer_norm.", Part::FinalNorm}};
    if (name.starts_with("shared.")) return CellId{"encoder", Part::Embedding};
    if (name.starts_with("lm_head.")) return CellId{"decoder", Part::Head};
    if (skip(name, "encoder.block.")) return blockCell("encoder", name, kEncoder);
    if (skip(name, "decoder.block.")) return blockCell("decoder", name, kDecoder);
    if (name == "decoder.embed_tokens.weight") return CellId{"encoder", Part::Embedding};
    if (skip(name, "encoder.")) return stackCell("encoder", name, kStack);
    if (skip(name, "decoder.")) return stackCell("decoder", name, kStack);
    return {};
}

std::optional<CellId> llamaCell(std::string_view name) {
    static constexpr PrefixPart kBlock[] = {{"input_layernorm.", Part::AttentionNorm},
                                            {"self_attn.", Part::Attention},
                                            {"post_attention_layernorm.", Part::MlpNorm},
                                            {"mlp.", Part::Mlp},
                                            {"block_sparse_moe.", Part::Mlp}};
    static constexpr PrefixPart kStack[] = {{"embed_tokens.", Part::Embedding},
                                            {"norm.", Part::FinalNorm}};
    if (name.starts_with("lm_head.")) return CellId{"decoder", Part::Head};
    skip(name, "model.");
    if (skip(name, "layers.")) return blockCell("decoder", name, kBlock);
    return stackCell("decoder", name, kStack);
}

}  // namespace

std::optional<CellId> cellOfTensor(core::Family family, std::string_view tensor) {
    switch (family) {
        case core::Family::Vit:
            return vitCell(tensor);
        case core::Family::T5:
            return t5Cell(tensor);
        case core::Family::Llama:
            return llamaCell(tensor);
    }
    return {};
}

CellTensors::CellTensors(core::Family family, std::span<const core::TensorInfo> tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
        if (const std::optional<CellId> cell = cellOfTensor(family, tensors[i].name))
            indices_[*cell].push_back(i);
}

std::span<const std::size_t> CellTensors::of(const CellId& cell) const {
    const auto found = indices_.find(cell);
    if (found == indices_.end()) return {};
    return found->second;
}

}  // namespace ui
