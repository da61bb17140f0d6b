// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/surgery/plan_editor.h"

#include <QWidget>

#include <vector>

class QSpinBox;
class QToolButton;

namespace ui {

class MixedSpinBox;
class MixedDoubleSpinBox;

/// The toolbar over the canvas: presets (the one that the plan equals is pressed in) and quick
/// fields for experts and capacity.
class PresetBar : public QWidget {
    Q_OBJECT

  public:
    PresetBar(Document& document, PlanEditor& editor, QWidget* parent);

  private:
    struct Choice {
        QToolButton* button;
        core::Preset preset;
    };

    QToolButton* addPreset(core::Preset preset, const QString& text, const QString& toolTip);
    QWidget* makePresets();
    QWidget* makeQuickFields();
    core::PresetChoice choiceOf(core::Preset preset) const;
    void refresh();

    Document& document_;
    PlanEditor& editor_;
    std::vector<Choice> choices_;
    QSpinBox* count_;
    MixedSpinBox* experts_;
    MixedDoubleSpinBox* capacity_;
};

}  // namespace ui
