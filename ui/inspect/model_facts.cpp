// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/model_facts.h"

#include "core/base/text.h"

#include <QCoreApplication>
#include <QLocale>

namespace ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("ModelFacts", text); }

QString number(std::int64_t value) { return QLocale().toString(static_cast<qlonglong>(value)); }

QString familyText(core::Family family) {
    switch (family) {
        case core::Family::Vit:
            return tr(QT_TRANSLATE_NOOP("ModelFacts", "Vision Transformer"));
        case core::Family::T5:
            return QStringLiteral("T5");
        case core::Family::Llama:
            return QStringLiteral("Llama");
    }
    return {};
}

QString formatText(const std::string& format) {
    return format == "hdf5" ? QStringLiteral("HDF5") : QString::fromStdString(format);
}

void addVit(std::vector<Fact>& facts, const core::VitSpec& vit) {
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Image")),
                     QStringLiteral("%1 × %1 × %2").arg(vit.imageSize).arg(vit.channels)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Patch")),
                     QStringLiteral("%1 × %1").arg(vit.patchSize)});
    facts.push_back(
        {tr(QT_TRANSLATE_NOOP("ModelFacts", "Tokens per image")), number(vit.tokens())});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Hidden size")), number(vit.hidden)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "MLP size")), number(vit.intermediate)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Attention heads")), number(vit.heads)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Classes")), number(vit.classes)});
}

QString activationText(core::Activation activation) {
    switch (activation) {
        case core::Activation::GeluErf:
            return QStringLiteral("GELU");
        case core::Activation::GeluTanh:
            return QStringLiteral("GELU (tanh)");
        case core::Activation::Relu:
            return QStringLiteral("ReLU");
        case core::Activation::Silu:
            return QStringLiteral("SiLU");
    }
    return {};
}

void addT5(std::vector<Fact>& facts, const core::T5Spec& t5) {
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Vocabulary")), number(t5.vocab)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Hidden size")), number(t5.dModel)});
    const QString activation = activationText(t5.activation);
    facts.push_back(
        {tr(QT_TRANSLATE_NOOP("ModelFacts", "MLP size")),
         t5.gated
             ? tr(QT_TRANSLATE_NOOP("ModelFacts", "%1 · gated %2")).arg(number(t5.dFf), activation)
             : QStringLiteral("%1 · %2").arg(number(t5.dFf), activation)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Attention heads")),
                     QStringLiteral("%1 × %2").arg(number(t5.heads), number(t5.dKv))});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Output matrix")),
                     t5.tiedEmbeddings
                         ? tr(QT_TRANSLATE_NOOP("ModelFacts", "tied to the embedding"))
                         : tr(QT_TRANSLATE_NOOP("ModelFacts", "of its own"))});
}

}  // namespace

std::vector<Fact> modelFacts(const OpenedModel& model) {
    const core::Checkpoint& checkpoint = *model.checkpoint;
    std::vector<Fact> facts;
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Family")), familyText(model.spec.family)});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Blocks")),
                     number(static_cast<std::int64_t>(model.spec.blocks.size()))});
    if (model.spec.family == core::Family::Vit) addVit(facts, model.spec.vit);
    if (model.spec.family == core::Family::T5) addT5(facts, model.spec.t5);
    std::uint64_t bytes = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) bytes += tensor.bytes;
    facts.push_back(
        {tr(QT_TRANSLATE_NOOP("ModelFacts", "Format")), formatText(checkpoint.format())});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Files")),
                     number(static_cast<std::int64_t>(checkpoint.files().size()))});
    facts.push_back({tr(QT_TRANSLATE_NOOP("ModelFacts", "Tensors")),
                     QStringLiteral("%1 · %2").arg(
                         number(static_cast<std::int64_t>(checkpoint.tensors().size())),
                         QString::fromStdString(core::formatBytes(static_cast<double>(bytes))))});
    return facts;
}

}  // namespace ui
