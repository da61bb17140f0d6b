// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/run_directory.h"
#include "ui/document/error_text.h"
#include "ui/runs/run_follower.h"
#include "ui/runs/trainer_process.h"

#include <QString>
#include <QTimer>
#include <QWidget>

#include <optional>

class QStackedWidget;

namespace ui {

class ChartWidget;
class Document;
class JobPage;
class RunCharts;
class RunPanel;

/// Set up a job, start it, watch it, steer it. The run lives in its folder and in a process of its
/// own: this widget only follows, and closing it ends nothing.
class TrainWorkspace : public QWidget {
    Q_OBJECT

  public:
    TrainWorkspace(Document& document, QWidget* parent);

    /// Follows the run at `path`, live or finished.
    void openRun(const QString& path);
    /// Empty when no run is followed.
    QString runPath() const;
    /// A trainer of the followed run is alive (the window says on closing that it goes on).
    bool isTraining() const;
    /// For "Export Chart…": the chart with the focus or the pointer; nullptr before any run.
    ChartWidget* currentChart() const;

    RunFollower& follower() { return follower_; }
    JobPage& jobPage() { return *job_; }
    RunPanel& runPanel() { return *panel_; }
    RunCharts& charts() { return *charts_; }

  Q_SIGNALS:
    /// For the message bar of the window.
    void failed(const ui::ErrorText& error);
    /// A run has been opened or its state has changed.
    void runChanged();
    void openModelAsked(const QString& model);
    void exportAsked(const QString& model);

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    QWidget* buildEmpty() const;
    void train();
    void startTrainer();
    void watchStart();
    void showRun(bool run);
    void runOpened();
    void runChangedNow();
    void chooseRun();

    Document& document_;
    RunFollower follower_;
    JobPage* job_;
    RunPanel* panel_;
    RunCharts* charts_;
    QStackedWidget* left_;
    QStackedWidget* right_;
    std::optional<TrainerProcess> trainer_;
    int startsBefore_ = 0;
    int looksAfterDeath_ = 0;
    QTimer startWatch_;
    QString startAfterOpening_;
    bool dirty_ = false;
};

}  // namespace ui
