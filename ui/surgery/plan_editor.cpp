// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/surgery/plan_editor.h"

#include <QCoreApplication>

#include <algorithm>

namespace ui {

PlanEditor::PlanEditor(Document& document, QObject* parent) : QObject(parent), document_(document) {
    connect(&document_, &Document::opened, this, [this] {
        settings_ = {};
        Q_EMIT newLayerSettingsChanged();
    });
}

std::vector<std::string> PlanEditor::targets() const {
    std::vector<std::string> blocks = document_.selectedMoes();
    if (blocks.empty())
        for (const auto& [name, layer] : document_.plan().layers) blocks.push_back(name);
    return blocks;
}

void PlanEditor::setExperts(std::int64_t experts) {
    if (!change(tr("Set experts"), QStringLiteral("experts"), targets(),
                [experts](core::LayerPlan& layer) { layer.moe.experts = experts; }))
        return;
    settings_.experts = experts;
    Q_EMIT newLayerSettingsChanged();
}

void PlanEditor::setCapacity(double capacity) {
    if (!change(tr("Set capacity"), QStringLiteral("capacity"), targets(),
                [capacity](core::LayerPlan& layer) { layer.moe.capacity = capacity; }))
        return;
    settings_.capacity = capacity;
    Q_EMIT newLayerSettingsChanged();
}

void PlanEditor::switchBlocks(const std::vector<std::string>& blocks, bool moe) {
    if (!document_.hasModel() || blocks.empty()) return;
    const core::SurgeryPlan after =
        withBlocks(document_.model().spec, document_.plan(), blocks, moe, settings_);
    const QString what = blocks.size() == 1
                             ? QString::fromStdString(blocks.front())
                             : tr("%n block(s)", nullptr, static_cast<int>(blocks.size()));
    document_.edit(moe ? tr("Make %1 MoE").arg(what) : tr("Make %1 dense").arg(what), after);
}

void PlanEditor::toggle(const std::vector<std::string>& blocks) {
    const auto& layers = document_.plan().layers;
    const bool allMoe = std::all_of(blocks.begin(), blocks.end(), [&](const std::string& block) {
        return layers.contains(block) || !isSwitchable(document_.model().spec, block);
    });
    switchBlocks(blocks, !allMoe);
}

void PlanEditor::applyPreset(const core::PresetChoice& choice) {
    if (!document_.hasModel()) return;
    const core::ModelSpec& spec = document_.model().spec;
    if (!document_.edit(presetName(choice), withPreset(spec, document_.plan(), choice, settings_)))
        return;
    std::set<CellId> cells;
    for (const auto& [name, layer] : document_.plan().layers) cells.insert({name, Part::Mlp});
    document_.select(std::move(cells));
}

bool PlanEditor::change(const QString& text, const QString& setting,
                        const std::vector<std::string>& blocks,
                        const std::function<void(core::LayerPlan&)>& change) {
    if (!document_.hasModel() || blocks.empty()) return true;
    QString key = setting;
    for (const std::string& block : blocks) key += QLatin1Char(' ') + QString::fromStdString(block);
    return document_.edit(text, withLayers(document_.plan(), blocks, change), key);
}

QString presetName(const core::PresetChoice& choice) {
    const auto tr = [](const char* text) { return QCoreApplication::translate("Preset", text); };
    switch (choice.preset) {
        case core::Preset::Paper:
            return tr(QT_TRANSLATE_NOOP("Preset", "Paper’s preset"));
        case core::Preset::EveryOther:
            return tr(QT_TRANSLATE_NOOP("Preset", "Every other"));
        case core::Preset::LastHalf:
            return tr(QT_TRANSLATE_NOOP("Preset", "Last half"));
        case core::Preset::Last:
            return tr(QT_TRANSLATE_NOOP("Preset", "Last %1")).arg(choice.count);
        case core::Preset::First:
            return tr(QT_TRANSLATE_NOOP("Preset", "First %1")).arg(choice.count);
        case core::Preset::All:
            return tr(QT_TRANSLATE_NOOP("Preset", "All"));
        case core::Preset::None:
            return tr(QT_TRANSLATE_NOOP("Preset", "None"));
    }
    return {};
}

}  // namespace ui
