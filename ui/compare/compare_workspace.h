// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/compare/comparison.h"
#include "ui/compare/run_table_model.h"
#include "ui/document/error_text.h"
#include "ui/runs/run_follower.h"

#include <QSortFilterProxyModel>
#include <QTimer>
#include <QWidget>

#include <map>
#include <memory>

class QComboBox;
class QLineEdit;
class QPushButton;
class QStackedWidget;
class QTableView;

namespace ui {

class ChartWidget;
class ElidedLabel;
class EmptyState;
class LineChart;

/// The runs of a folder in a table, the checked ones drawn over each other: one metric, over steps,
/// images, time or cost. Looks at the folder again every few seconds, while it is visible.
class CompareWorkspace : public QWidget {
    Q_OBJECT

  public:
    explicit CompareWorkspace(QWidget* parent);

    void openFolder(const QString& folder);
    const QString& folder() const noexcept { return folder_; }
    RunTableModel& model() { return model_; }
    LineChart& chart() { return *chart_; }
    void setMetric(const std::string& name);
    void setAxis(ComparisonAxis axis);
    ChartWidget* currentChart() const;

  Q_SIGNALS:
    /// A person wants to watch this run.
    void openRunAsked(const QString& path);
    void failed(const ui::ErrorText& error);

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    struct Chosen {
        std::unique_ptr<RunFollower> follower;
        RunCost cost;
    };
    QWidget* buildBar();
    QWidget* buildTable();
    QWidget* buildChart();
    void chooseFolder();
    void scan();
    void take(std::vector<RunSummary> runs);
    void followChosen();
    void follow(const QString& path);
    void redraw();
    void offer(const std::vector<ComparedMetric>& metrics);
    void refreshEmpty();
    QString unknownText(int missing) const;

    QString folder_;
    RunTableModel model_;
    QSortFilterProxyModel proxy_;
    std::map<QString, Chosen> followed_;
    std::vector<ComparedMetric> offered_;  ///< as in the list of metrics
    QTimer timer_;
    bool scanning_ = false;
    bool firstLook_ = false;
    quint64 generation_ = 0;

    ElidedLabel* place_;
    QLineEdit* filter_;
    QTableView* table_;
    QComboBox* metric_;
    QComboBox* axis_;
    LineChart* chart_;
    QStackedWidget* pages_;
    EmptyState* empty_;
};

}  // namespace ui
