// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/runs/alarm_model.h"
#include "ui/runs/run_follower.h"

#include <QString>
#include <QWidget>

class QGridLayout;
class QLabel;
class QListView;
class QProgressBar;
class QPushButton;

namespace ui {

class ElidedLabel;
class Notice;
class PhasePill;

/// The left side while a run is open: what it is doing, how far it is, the orders that can be given
/// and what went wrong. Orders are lines in the run's control file; that they were obeyed is known
/// when the events say so.
class RunPanel : public QWidget {
    Q_OBJECT

  public:
    RunPanel(RunFollower& follower, QWidget* parent);

    /// A trainer has been started and has not said anything yet.
    void setStarting(bool starting);
    bool isStarting() const noexcept { return starting_; }
    /// The trainer could not begin.
    void showFailure(const QString& message, const QString& hint);
    /// Brings everything in line with the follower.
    void refresh();

  Q_SIGNALS:
    void resumeAsked();
    void newRunAsked();
    /// MODEL of the run's newest checkpoint.
    void openModelAsked(const QString& model);
    void exportAsked(const QString& model);
    /// A person wants to see where an alarm was raised.
    void alarmChosen(const QString& block, double step);

  private:
    QPushButton* orderButton(const QString& name, const QString& iconName, const QString& text,
                             const QString& help);
    QLabel* fact(QGridLayout& grid, int row, const QString& name);
    void buildFacts();
    void buildActions();
    void refreshActions(core::RunPhase phase);
    void refreshFacts();
    void refreshNotice(core::RunPhase phase);
    void give(const char* order);

    RunFollower& follower_;
    AlarmModel alarmModel_;
    bool starting_ = false;
    core::RunPhase answered_ = core::RunPhase::New;
    QString failure_, failureHint_;

    QLabel* name_ = nullptr;
    ElidedLabel* place_ = nullptr;
    QLabel *progressText_ = nullptr, *timeLeft_ = nullptr, *alarmsTitle_ = nullptr,
           *waiting_ = nullptr;
    QLabel *loss_ = nullptr, *accuracy_ = nullptr, *throughput_ = nullptr, *device_ = nullptr,
           *checkpoint_ = nullptr;
    PhasePill* pill_ = nullptr;
    QProgressBar* progress_ = nullptr;
    QWidget* facts_ = nullptr;
    QWidget* liveActions_ = nullptr;
    QWidget* restActions_ = nullptr;
    QPushButton *pause_ = nullptr, *checkpointNow_ = nullptr, *stopAndSave_ = nullptr,
                *stopNow_ = nullptr;
    QPushButton *resume_ = nullptr, *openModel_ = nullptr, *export_ = nullptr;
    Notice* notice_ = nullptr;
    QListView* alarms_ = nullptr;
};

}  // namespace ui
