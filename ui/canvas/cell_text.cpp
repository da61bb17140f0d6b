// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/cell_text.h"

#include <QCoreApplication>
#include <QLocale>

namespace ui {
namespace {

QString words(const char* text) { return QCoreApplication::translate("CellText", text); }

/// The sizes of a cell's largest matrix, where the spec does not know them: "[384, 96]".
QString largestMatrix(const OpenedModel& model, const CellId& cell) {
    const core::TensorInfo* largest = nullptr;
    for (const std::size_t index : model.cells.of(cell)) {
        const core::TensorInfo& tensor = model.checkpoint->tensors()[index];
        if (tensor.shape.rank() < 2) continue;
        if (largest == nullptr || tensor.bytes > largest->bytes) largest = &tensor;
    }
    if (largest == nullptr) return {};
    return QStringLiteral("%1 × %2").arg(largest->shape[0]).arg(largest->shape[1]);
}

QString countText(std::int64_t count) { return QLocale().toString(static_cast<qlonglong>(count)); }

QString mlpSizes(const OpenedModel& model, const CellId& cell) {
    switch (model.spec.family) {
        case core::Family::Vit:
            return QStringLiteral("%1 → %2").arg(countText(model.spec.vit.hidden),
                                                 countText(model.spec.vit.intermediate));
        case core::Family::T5:
            return QStringLiteral("%1 → %2").arg(countText(model.spec.t5.dModel),
                                                 countText(model.spec.t5.dFf));
        case core::Family::Llama:
            break;
    }
    return largestMatrix(model, cell);
}

QString headsText(std::int64_t heads) {
    return QCoreApplication::translate("CellText", "%n head(s)", nullptr, static_cast<int>(heads));
}

CellText moeText(const core::MoeSpec& moe) {
    const QString experts = QCoreApplication::translate("CellText", "%n expert(s)", nullptr,
                                                        static_cast<int>(moe.experts));
    const QString brief =
        QCoreApplication::translate("CellText", "%n exp.", nullptr, static_cast<int>(moe.experts));
    if (moe.router == core::RouterKind::TopK && moe.dropless)
        return {experts, words(QT_TRANSLATE_NOOP("CellText", "%1 · dropless")).arg(routerText(moe)),
                brief, routerText(moe)};
    const QString router = routerText(moe);
    const QString shortRouter = moe.router == core::RouterKind::ExpertChoice
                                    ? words(QT_TRANSLATE_NOOP("CellText", "EC"))
                                    : router;
    const QString capacity = QStringLiteral(" · C %1").arg(numberText(moe.capacity));
    return {experts, router + capacity, brief, shortRouter + capacity};
}

CellText vitText(const core::VitSpec& vit, Part part) {
    if (part == Part::Embedding)
        return {words(QT_TRANSLATE_NOOP("CellText", "Patch embedding")),
                words(QT_TRANSLATE_NOOP("CellText", "%1 × %1 × %2 image · patch %3 · %4 tokens"))
                    .arg(vit.imageSize)
                    .arg(vit.channels)
                    .arg(vit.patchSize)
                    .arg(vit.tokens())};
    if (part == Part::Attention) return {partName(part), headsText(vit.heads)};
    if (part == Part::Head)
        return {words(QT_TRANSLATE_NOOP("CellText", "Classifier")),
                QCoreApplication::translate("CellText", "%n class(es)", nullptr,
                                            static_cast<int>(vit.classes))};
    return {partName(part), {}};
}

CellText t5Text(const core::T5Spec& t5, Part part) {
    if (part == Part::Embedding)
        return {partName(part), words(QT_TRANSLATE_NOOP("CellText", "%1 tokens × %2"))
                                    .arg(countText(t5.vocab))
                                    .arg(t5.dModel)};
    if (part == Part::Attention) return {partName(part), headsText(t5.heads)};
    if (part == Part::CrossAttention)
        return {
            partName(part), headsText(t5.heads), words(QT_TRANSLATE_NOOP("CellText", "Cross")), {}};
    if (part == Part::Head)
        return {partName(part),
                t5.tiedEmbeddings
                    ? words(QT_TRANSLATE_NOOP("CellText", "Tied to the embedding"))
                    : words(QT_TRANSLATE_NOOP("CellText", "%1 tokens")).arg(countText(t5.vocab))};
    return {partName(part), {}};
}

}  // namespace

std::optional<core::MoeSpec> moeOf(const core::ModelSpec& spec, const core::SurgeryPlan& plan,
                                   const std::string& block) {
    const auto planned = plan.layers.find(block);
    if (planned != plan.layers.end()) return planned->second.moe;
    const core::BlockSpec* found = spec.find(block);
    return found != nullptr ? found->moe : std::nullopt;
}

CellText cellText(const OpenedModel& model, const core::SurgeryPlan& plan, const CellId& cell) {
    if (cell.part == Part::Mlp) {
        if (const auto moe = moeOf(model.spec, plan, cell.place)) return moeText(*moe);
        return {partName(cell.part), mlpSizes(model, cell)};
    }
    if (model.spec.family == core::Family::Vit) return vitText(model.spec.vit, cell.part);
    if (model.spec.family == core::Family::T5) return t5Text(model.spec.t5, cell.part);
    return {partName(cell.part), largestMatrix(model, cell)};
}

QString cellDescription(const OpenedModel& model, const core::SurgeryPlan& plan,
                        const CellId& cell) {
    const CellText text = cellText(model, plan, cell);
    const QString what =
        text.detail.isEmpty() ? text.title : QStringLiteral("%1, %2").arg(text.title, text.detail);
    if (cell.part != Part::Mlp) return what;
    const core::BlockSpec* block = model.spec.find(cell.place);
    if (block != nullptr && block->moe)
        return words(QT_TRANSLATE_NOOP("CellText",
                                       "%1. Mixture of experts already in the checkpoint."))
            .arg(what);
    if (plan.layers.contains(cell.place))
        return words(QT_TRANSLATE_NOOP("CellText", "%1. Mixture of experts in the plan."))
            .arg(what);
    return words(QT_TRANSLATE_NOOP("CellText", "%1. Dense.")).arg(what);
}

QString routerText(const core::MoeSpec& moe) {
    if (moe.router == core::RouterKind::ExpertChoice)
        return words(QT_TRANSLATE_NOOP("CellText", "Expert Choice"));
    return QStringLiteral("Top-%1").arg(moe.k);
}

QString numberText(double value) { return QLocale().toString(value, 'g', 6); }

}  // namespace ui
