// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/compare/diff_job.h"
#include "ui/compare/model_choice.h"

#include <QSortFilterProxyModel>
#include <QWidget>

#include <vector>

class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSplitter;
class QStackedWidget;

namespace ui {

class ChangeModel;
class ChartWidget;
class CopyTable;
class CosineMap;
class EmptyState;

/// Two checkpoints beside each other: what happened between them in sentences, the tensors that
/// differ, and how the experts point. Compared in the background as soon as both are named.
class CheckpointComparison : public QWidget {
    Q_OBJECT

  public:
    CheckpointComparison(const RecentPaths& recent, QWidget* parent);

    /// An empty one stays as it is.
    void compare(const QString& a, const QString& b);
    QString a() const;
    QString b() const;
    bool isBusy() const { return job_.isRunning(); }
    ChangeModel& model() { return *model_; }
    CosineMap& map() { return *map_; }
    QString story() const;
    /// nullptr while there is nothing to draw.
    ChartWidget* currentChart() const;

  Q_SIGNALS:
    void failed(const ui::ErrorText& error);
    /// Another comparison began: what was said before is void.
    void started();
    /// currentChart is another.
    void chartChanged();

  protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    enum Page { EmptyPage, ResultPage };
    QWidget* buildBar();
    QWidget* buildProgress();
    QWidget* buildResult();
    void connectAll();
    void start();
    void stop();
    void showDiff(const core::CheckpointDiff& diff);
    void addExperts(const core::ExpertCosines& cosines);
    void showBlock();
    void hideEmptyColumns();
    void showCount();
    void showEmpty(const QString& text);

    DiffJob job_;
    ChangeModel* model_;
    QSortFilterProxyModel* proxy_;
    std::vector<core::ExpertCosines> experts_;

    ModelChoice* a_;
    ModelChoice* b_;
    QPushButton* swap_;
    QPushButton* again_;
    QWidget* progressRow_ = nullptr;
    QProgressBar* progress_;
    QLabel* progressText_;
    QStackedWidget* pages_;
    EmptyState* empty_;
    QLabel* story_;
    QLineEdit* filter_;
    QLabel* count_;
    CopyTable* table_;
    QSplitter* splitter_;
    QComboBox* block_;
    CosineMap* map_;
};

}  // namespace ui
