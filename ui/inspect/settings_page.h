// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/surgery/plan_editor.h"

#include <QScrollArea>

class QGridLayout;
class QLabel;
class QPushButton;

namespace ui {

class LayerForm;
class MixedSpinBox;
class WarningList;

/// What can be set for the selection: the MoE layers' form, a button for dense MLPs, or the model
/// and its plan as a whole where nothing is selected.
class SettingsPage : public QScrollArea {
    Q_OBJECT

  public:
    SettingsPage(Document& document, PlanEditor& editor, QWidget* parent);
    void refresh();

  private:
    QWidget* makeOverview();
    void refreshOverview();
    void refreshSelection();

    Document& document_;
    PlanEditor& editor_;
    QLabel* note_;
    QPushButton* makeMoe_;
    QPushButton* makeDense_;
    QPushButton* paper_;
    WarningList* warnings_;
    LayerForm* form_;
    QGridLayout* facts_;
    MixedSpinBox* seed_;
    QLabel* seedLabel_ = nullptr;
    QWidget* overview_;  ///< made last: it holds those above
};

}  // namespace ui
