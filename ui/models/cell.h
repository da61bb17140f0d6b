// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/spec.h"

#include <QString>

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace ui {

/// The parts of a network that the canvas draws as cells, in the order of the data.
enum class Part {
    Embedding,
    AttentionNorm,
    Attention,
    CrossNorm,
    CrossAttention,
    MlpNorm,
    Mlp,
    FinalNorm,
    Head
};

/// "Attention", "MLP" ... for people.
QString partName(Part part);

/// One cell: a part of a block ("encoder.3"), or of a whole stack ("encoder": embedding, final norm
/// and head).
struct CellId {
    std::string place;
    Part part = Part::Mlp;
    auto operator<=>(const CellId&) const = default;  // NOLINT(modernize-use-nullptr)
    bool operator==(const CellId&) const = default;
};

/// "encoder.3 · MLP".
QString cellName(const CellId& cell);

/// The stacks of a model in the order of its blocks: {"encoder"} or {"encoder", "decoder"}.
std::vector<std::string> stacksOf(const core::ModelSpec& spec);

/// "Encoder", "Decoder" for people.
QString stackName(std::string_view stack);

/// The parts of one block, in the order of the data: cross-attention in T5's decoder only.
std::vector<Part> partsOf(const core::ModelSpec& spec, const core::BlockSpec& block);

/// Every cell of a model in drawing order: per stack its embedding, its blocks' parts, final norm
/// and head.
std::vector<CellId> cellsOf(const core::ModelSpec& spec);

}  // namespace ui
