// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/document.h"

#include <QFrame>

#include <array>
#include <functional>

class QLabel;
class QPushButton;

namespace ui {

/// What the plan costs, before → after, always true: parameters, active parameters per token, FLOPs
/// per token, file size, training memory. Columns keep their places while figures change.
class CostBar : public QFrame {
    Q_OBJECT

  public:
    CostBar(Document& document, QWidget* parent);

  Q_SIGNALS:
    void warningsClicked();

  private:
    struct Item {
        QString key;  ///< object names of the labels: "cost.KEY.after"
        QString caption;
        QString toolTip;
        std::function<double(const core::ModelCost&)> value;
        std::function<QString(double)> text;
        QLabel* before = nullptr;
        QLabel* arrow = nullptr;
        QLabel* after = nullptr;
        QLabel* ratio = nullptr;
    };

    QWidget* makeItem(Item& item);
    void refresh();
    void refreshItem(const Item& item, double before, double after);

    Document& document_;
    std::array<Item, 5> items_;
    QPushButton* warnings_;
};

}  // namespace ui
