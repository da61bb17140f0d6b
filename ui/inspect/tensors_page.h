// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/document.h"

#include <QSortFilterProxyModel>
#include <QWidget>

class QLabel;
class QLineEdit;
class QTableView;

namespace ui {

class StatsPanel;
class TensorModel;

/// The tensors of the selected cells (of the whole checkpoint where none is selected) with a
/// filter, and the statistics of the current one.
class TensorsPage : public QWidget {
    Q_OBJECT

  public:
    TensorsPage(Document& document, QWidget* parent);
    void refresh();

  private:
    std::vector<std::size_t> shownTensors() const;
    void showCurrent();

    Document& document_;
    TensorModel* model_;
    QSortFilterProxyModel* proxy_;
    QLineEdit* filter_;
    QTableView* table_;
    QLabel* count_;  ///< how many, and how all their names begin
    StatsPanel* stats_;
};

}  // namespace ui
