// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/surgery/plan_editor.h"

#include <QFrame>

class QLabel;
class QTabWidget;

namespace ui {

class SettingsPage;
class TensorsPage;

/// What is known of the selected cells and what can be set for them. Does nothing while hidden.
class Inspector : public QFrame {
    Q_OBJECT

  public:
    Inspector(Document& document, PlanEditor& editor, QWidget* parent);
    TensorsPage& tensors() { return *tensors_; }
    /// The tensors as a table with statistics, over the whole workspace.
    void showTensorTable();
    void setWide(bool wide);

  Q_SIGNALS:
    /// A person wants the inspector to have the whole workspace, or to give it back.
    void wideAsked(bool wide);

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    void refresh();
    void refreshTitle();

    Document& document_;
    QLabel* title_;
    QLabel* subtitle_;
    QTabWidget* tabs_;
    SettingsPage* settings_;
    TensorsPage* tensors_;
};

}  // namespace ui
