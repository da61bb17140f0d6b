// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/surgery/plan_editor.h"

#include <QWidget>

#include <optional>
#include <string>
#include <vector>

class QFormLayout;
class QLabel;

namespace ui {

class MixedCheckBox;
class MixedComboBox;
class MixedDoubleSpinBox;
class MixedSpinBox;

/// The settings of the selected MoE layers, edited for all at once; a value in which they differ
/// shows as mixed. Settings that the router does not have are not shown.
class LayerForm : public QWidget {
    Q_OBJECT

  public:
    LayerForm(Document& document, PlanEditor& editor, QWidget* parent);
    /// Takes over the document's selection and plan.
    void refresh();

  private:
    void makeRouting(QFormLayout& form);
    void makeInitialisation(QFormLayout& form);
    void connectRouting();
    void connectInitialisation();
    void refreshRouting();
    void refreshInitialisation();
    void edit(const QString& text, const QString& setting,
              const std::function<void(core::LayerPlan&)>& change);
    template <typename T, typename Get>
    std::optional<T> common(Get get) const;

    Document& document_;
    PlanEditor& editor_;
    std::vector<std::string> blocks_;

    QFormLayout* routing_;
    MixedSpinBox* experts_;
    MixedComboBox* router_;
    QLabel* routerNote_;  ///< why a router is not offered
    MixedSpinBox* k_;
    MixedComboBox* order_;
    MixedDoubleSpinBox* capacity_;
    MixedCheckBox* dropless_;
    MixedCheckBox* renormalize_;
    MixedCheckBox* batchPriority_;
    MixedComboBox* group_;
    MixedSpinBox* groupTokens_;

    QFormLayout* initialisation_;
    MixedComboBox* expertInit_;
    QLabel* amountLabel_;
    MixedDoubleSpinBox* amount_;
    MixedComboBox* routerInit_;
    MixedDoubleSpinBox* routerStd_;
};

}  // namespace ui
