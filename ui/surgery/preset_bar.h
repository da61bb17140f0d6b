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
/// fields for experts and capacity, which go where there is no room (the inspector has them too).
class PresetBar : public QWidget {
    Q_OBJECT

  public:
    PresetBar(Document& document, PlanEditor& editor, QWidget* parent);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void resizeEvent(QResizeEvent* event) override;

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
    QWidget* presets_;
    QWidget* fields_;
};

}  // namespace ui
