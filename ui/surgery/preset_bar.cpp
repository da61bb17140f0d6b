// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/surgery/preset_bar.h"

#include "ui/theme/theme.h"
#include "ui/widgets/mixed_spin_box.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QToolButton>

#include <algorithm>
#include <optional>

namespace ui {
namespace {

constexpr int kMostExperts = 4096;

template <typename T, typename Get>
std::optional<T> commonValue(const core::SurgeryPlan& plan, const std::vector<std::string>& blocks,
                             Get get) {
    std::optional<T> common;
    for (const std::string& block : blocks) {
        const T value = get(plan.layers.at(block));
        if (common && *common != value) return {};
        common = value;
    }
    return common;
}

/// What a newly switched block of this model starts with.
core::MoeSpec startOf(const Document& document, const NewLayerSettings& settings) {
    const core::ModelSpec& spec = document.model().spec;
    return spec.blocks.empty() ? core::MoeSpec()
                               : newLayer(spec, spec.blocks.front(), settings).moe;
}

}  // namespace

PresetBar::PresetBar(Document& document, PlanEditor& editor, QWidget* parent)
    : QWidget(parent),
      document_(document),
      editor_(editor),
      count_(new QSpinBox(this)),
      experts_(new MixedSpinBox(this)),
      capacity_(new MixedDoubleSpinBox(this)),
      presets_(makePresets()),
      fields_(makeQuickFields()) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kL);
    row->addWidget(presets_);
    row->addWidget(fields_);
    row->addStretch(1);
    connect(&document_, &Document::opened, this, &PresetBar::refresh);
    connect(&document_, &Document::closed, this, &PresetBar::refresh);
    connect(&document_, &Document::planChanged, this, &PresetBar::refresh);
    connect(&document_, &Document::selectionChanged, this, &PresetBar::refresh);
    connect(&document_, &Document::refused, this, &PresetBar::refresh);
    connect(&editor_, &PlanEditor::newLayerSettingsChanged, this, &PresetBar::refresh);
    refresh();
}

QSize PresetBar::sizeHint() const {
    const QSize presets = presets_->sizeHint();
    const QSize fields = fields_->sizeHint();
    return {presets.width() + space::kL + fields.width(),
            std::max(presets.height(), fields.height())};
}

QSize PresetBar::minimumSizeHint() const {
    return {presets_->minimumSizeHint().width(), sizeHint().height()};
}

void PresetBar::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fields_->setVisible(width() >= sizeHint().width());
}

QToolButton* PresetBar::addPreset(core::Preset preset, const QString& text,
                                  const QString& toolTip) {
    auto* button = new QToolButton(this);
    button->setText(text);
    button->setToolTip(toolTip);
    button->setAccessibleName(text);
    button->setAccessibleDescription(toolTip);
    button->setCheckable(true);
    button->setFocusPolicy(Qt::StrongFocus);
    setButtonKind(button, ButtonKind::Segment);
    connect(button, &QToolButton::clicked, this, [this, preset] {
        editor_.applyPreset(choiceOf(preset));
        refresh();
    });
    choices_.push_back({button, preset});
    return button;
}

QWidget* PresetBar::makePresets() {
    auto* group = new QFrame(this);
    group->setProperty("segments", true);
    auto* row = new QHBoxLayout(group);
    row->setContentsMargins(2, 2, 2, 2);
    row->setSpacing(2);
    row->addWidget(
        addPreset(core::Preset::Paper, tr("Paper’s preset"),
                  tr("The layers that the sparse upcycling paper converts: the last half "
                     "of a ViT, every other layer of T5")));
    row->addWidget(
        addPreset(core::Preset::LastHalf, tr("Last half"), tr("The last half of each stack")));
    row->addWidget(addPreset(core::Preset::EveryOther, tr("Every other"),
                             tr("Every other layer of each stack")));
    row->addWidget(addPreset(core::Preset::First, tr("First"),
                             tr("The first layers of each stack, as many as the number says")));
    row->addWidget(addPreset(core::Preset::Last, tr("Last"),
                             tr("The last layers of each stack, as many as the number says")));
    count_->setRange(1, 1);
    count_->setAccessibleName(tr("Number of layers for First and Last"));
    count_->setToolTip(count_->accessibleName());
    connect(count_, &QSpinBox::valueChanged, this, &PresetBar::refresh);
    row->addWidget(count_);
    row->addWidget(addPreset(core::Preset::All, tr("All"), tr("Every layer")));
    row->addWidget(addPreset(core::Preset::None, tr("None"), tr("No layer: the dense model")));
    return group;
}

QWidget* PresetBar::makeQuickFields() {
    auto* fields = new QWidget(this);
    auto* row = new QHBoxLayout(fields);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kS);
    const auto add = [&](const QString& text, QAbstractSpinBox* field) {
        auto* label = new QLabel(text, fields);
        label->setProperty("muted", true);
        label->setBuddy(field);
        field->setAccessibleName(text);
        row->addWidget(label);
        row->addWidget(field);
    };
    experts_->setRange(1, kMostExperts);
    experts_->setToolTip(
        tr("Experts of the selected MoE layers, or of all where none is selected, "
           "and of layers switched from now on"));
    capacity_->setRange(0.05, 1000);
    capacity_->setSingleStep(0.25);
    capacity_->setDecimals(3);
    capacity_->setToolTip(tr("Capacity factor: how many experts a token can use on average"));
    add(tr("Experts"), experts_);
    row->addSpacing(space::kXs);
    add(tr("Capacity"), capacity_);
    connect(experts_, &MixedSpinBox::edited, this,
            [this](int value) { editor_.setExperts(value); });
    connect(capacity_, &MixedDoubleSpinBox::edited, this,
            [this](double value) { editor_.setCapacity(value); });
    return fields;
}

core::PresetChoice PresetBar::choiceOf(core::Preset preset) const {
    const bool counted = preset == core::Preset::First || preset == core::Preset::Last;
    return {preset, counted ? count_->value() : 0};
}

void PresetBar::refresh() {
    setEnabled(document_.hasModel());
    if (!document_.hasModel()) return;
    const core::ModelSpec& spec = document_.model().spec;
    const std::set<std::string> planned = layerNames(document_.plan());
    {
        const QSignalBlocker blocker(count_);
        std::map<std::string, int> perStack;
        int most = 1;
        for (const core::BlockSpec& block : spec.blocks)
            most = std::max(most, ++perStack[block.stack]);
        const bool fresh = count_->maximum() != most;
        count_->setMaximum(most);
        if (fresh) count_->setValue(std::max(1, most / 4));
    }
    bool matched = false;
    for (const Choice& choice : choices_) {
        const std::vector<std::string> blocks = core::presetBlocks(spec, choiceOf(choice.preset));
        const bool same = std::set(blocks.begin(), blocks.end()) == planned;
        choice.button->setChecked(same && !matched);
        matched = matched || same;
    }
    const std::vector<std::string> targets = editor_.targets();
    const core::MoeSpec start = startOf(document_, editor_.newLayerSettings());
    const auto experts =
        targets.empty() ? std::optional(start.experts)
                        : commonValue<std::int64_t>(document_.plan(), targets,
                                                    [](auto& layer) { return layer.moe.experts; });
    const auto capacity = targets.empty()
                              ? std::optional(start.capacity)
                              : commonValue<double>(document_.plan(), targets,
                                                    [](auto& layer) { return layer.moe.capacity; });
    experts_->setShown(experts ? std::optional(static_cast<int>(*experts)) : std::nullopt,
                       static_cast<int>(start.experts));
    capacity_->setShown(capacity, start.capacity);
}

}  // namespace ui
