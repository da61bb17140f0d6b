// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/cell.h"

#include <QCoreApplication>

#include <algorithm>

namespace ui {
namespace {

QString translated(const char* text) { return QCoreApplication::translate("Cell", text); }

/// T5 shares one embedding and has one head; its encoder ends in a norm.
bool hasEmbedding(const core::ModelSpec& spec, std::string_view stack) {
    return spec.family != core::Family::T5 || stack == "encoder";
}

bool hasHead(const core::ModelSpec& spec, std::string_view stack) {
    return spec.family != core::Family::T5 || stack == "decoder";
}

}  // namespace

QString partName(Part part) {
    switch (part) {
        case Part::Embedding:
            return translated(QT_TRANSLATE_NOOP("Cell", "Embedding"));
        case Part::AttentionNorm:
        case Part::CrossNorm:
        case Part::MlpNorm:
            return translated(QT_TRANSLATE_NOOP("Cell", "Norm"));
        case Part::Attention:
            return translated(QT_TRANSLATE_NOOP("Cell", "Attention"));
        case Part::CrossAttention:
            return translated(QT_TRANSLATE_NOOP("Cell", "Cross-attention"));
        case Part::Mlp:
            return translated(QT_TRANSLATE_NOOP("Cell", "MLP"));
        case Part::FinalNorm:
            return translated(QT_TRANSLATE_NOOP("Cell", "Final norm"));
        case Part::Head:
            return translated(QT_TRANSLATE_NOOP("Cell", "Head"));
    }
    return {};
}

QString cellName(const CellId& cell) {
    return QStringLiteral("%1 · %2").arg(QString::fromStdString(cell.place), partName(cell.part));
}

std::vector<std::string> stacksOf(const core::ModelSpec& spec) {
    std::vector<std::string> stacks;
    for (const core::BlockSpec& block : spec.blocks)
        if (std::find(stacks.begin(), stacks.end(), block.stack) == stacks.end())
            stacks.push_back(block.stack);
    return stacks;
}

QString stackName(std::string_view stack) {
    if (stack == "encoder") return translated(QT_TRANSLATE_NOOP("Cell", "Encoder"));
    if (stack == "decoder") return translated(QT_TRANSLATE_NOOP("Cell", "Decoder"));
    return QString::fromUtf8(stack.data(), static_cast<qsizetype>(stack.size()));
}

std::vector<Part> partsOf(const core::ModelSpec& spec, const core::BlockSpec& block) {
    if (spec.family == core::Family::T5 && block.stack == "decoder")
        return {Part::AttentionNorm,  Part::Attention, Part::CrossNorm,
                Part::CrossAttention, Part::MlpNorm,   Part::Mlp};
    return {Part::AttentionNorm, Part::Attention, Part::MlpNorm, Part::Mlp};
}

std::vector<CellId> cellsOf(const core::ModelSpec& spec) {
    std::vector<CellId> cells;
    for (const std::string& stack : stacksOf(spec)) {
        if (hasEmbedding(spec, stack)) cells.push_back({stack, Part::Embedding});
        for (const core::BlockSpec& block : spec.blocks) {
            if (block.stack != stack) continue;
            for (const Part part : partsOf(spec, block)) cells.push_back({block.name, part});
        }
        cells.push_back({stack, Part::FinalNorm});
        if (hasHead(spec, stack)) cells.push_back({stack, Part::Head});
    }
    return cells;
}

}  // namespace ui
