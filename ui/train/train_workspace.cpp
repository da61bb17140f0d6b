// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/train_workspace.h"

#include "core/base/error.h"
#include "ui/document/background.h"
#include "ui/document/document.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/job_form.h"
#include "ui/train/job_page.h"
#include "ui/train/run_charts.h"
#include "ui/train/run_panel.h"
#include "ui/widgets/empty_state.h"

#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QStackedWidget>
#include <QThreadPool>

#include <filesystem>
#include <system_error>

namespace ui {
namespace {

constexpr int kLeftWidth = 348;
constexpr int kStartWatchMs = 200;
constexpr int kLooksAfterDeath = 5;  // what it wrote before it died is read first

/// With the folder of the runs, which is not there before the first one.
core::RunDirectory makeRun(const core::Path& run, const core::JobSpec& job) {
    std::error_code ignored;  // what cannot be made is refused by name below
    std::filesystem::create_directory(run.parent_path(), ignored);
    return core::RunDirectory::create(run, job);
}

}  // namespace

TrainWorkspace::TrainWorkspace(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      job_(new JobPage(document, nullptr)),
      panel_(new RunPanel(follower_, nullptr)),
      charts_(new RunCharts(follower_, nullptr)),
      left_(new QStackedWidget),
      right_(new QStackedWidget) {
    left_->addWidget(job_);
    left_->addWidget(panel_);
    left_->setFixedWidth(kLeftWidth);
    left_->setProperty("panel", true);
    auto* scroll = new QScrollArea;
    scroll->setWidget(charts_);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);  // what is inside takes the keyboard
    right_->addWidget(buildEmpty());
    right_->addWidget(scroll);
    auto* line = new QFrame;
    line->setProperty("line", true);
    line->setFixedWidth(1);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(left_);
    row->addWidget(line);
    row->addWidget(right_, 1);

    startWatch_.setInterval(kStartWatchMs);
    connect(&startWatch_, &QTimer::timeout, this, &TrainWorkspace::watchStart);
    connect(&follower_, &RunFollower::opened, this, &TrainWorkspace::runOpened);
    connect(&follower_, &RunFollower::changed, this, &TrainWorkspace::runChangedNow);
    connect(&follower_, &RunFollower::failed, this, &TrainWorkspace::failed);
    connect(job_, &JobPage::trainAsked, this, &TrainWorkspace::train);
    connect(job_, &JobPage::backAsked, this, [this] { showRun(true); });
    connect(panel_, &RunPanel::newRunAsked, this, [this] {
        job_->proposeRunFolder();
        showRun(false);
    });
    connect(panel_, &RunPanel::resumeAsked, this, &TrainWorkspace::startTrainer);
    connect(panel_, &RunPanel::openModelAsked, this, &TrainWorkspace::openModelAsked);
    connect(panel_, &RunPanel::exportAsked, this, &TrainWorkspace::exportAsked);
    connect(panel_, &RunPanel::alarmChosen, this, [this](const QString& block, double step) {
        if (!block.isEmpty()) charts_->setLayer(block);
        charts_->showStep(step);
    });
    connect(charts_, &RunCharts::exportFailed, this,
            [this](const QString& message, const QString& hint) {
                Q_EMIT failed({core::ErrorKind::BadInput, message, hint});
            });
}

QWidget* TrainWorkspace::buildEmpty() const {
    auto* empty = new EmptyState(QStringLiteral("chart"), tr("Nothing is training yet"));
    empty->setText(tr(
        "Press Train, and this page shows, live: the loss, how evenly the router loads the "
        "experts of each layer, tokens that no expert takes, learning rate and throughput. A run "
        "keeps going when the window is closed; open its folder to watch again."));
    auto* open = new QPushButton(tr("Open a run…"));
    setButtonIcon(*open, QStringLiteral("folder"));
    connect(open, &QPushButton::clicked, this, &TrainWorkspace::chooseRun);
    empty->addWidget(open);
    return empty;
}

void TrainWorkspace::chooseRun() {
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Open a run"), QSettings().value(QStringLiteral("train/runsFolder")).toString());
    if (!folder.isEmpty()) openRun(folder);
}

void TrainWorkspace::openRun(const QString& path) {
    startWatch_.stop();
    trainer_.reset();
    panel_->setStarting(false);
    follower_.open(path);
}

QString TrainWorkspace::runPath() const {
    return follower_.isOpen() ? QString::fromStdString(follower_.directory().path().string())
                              : QString();
}

bool TrainWorkspace::isTraining() const { return follower_.isOpen() && follower_.isAlive(); }

ChartWidget* TrainWorkspace::currentChart() const {
    return follower_.isOpen() ? charts_->current() : nullptr;
}

void TrainWorkspace::showRun(bool run) {
    left_->setCurrentIndex(run ? 1 : 0);
    job_->setRunName(follower_.isOpen() ? QDir(runPath()).dirName() : QString());
}

void TrainWorkspace::train() {
    job_->setBusy(true);
    const core::Path run = job_->runFolder().toStdString();
    const core::JobSpec job = job_->job();
    runInBackground(
        this, QThreadPool::globalInstance(), [run, job] { return makeRun(run, job); },
        [this](Outcome<core::RunDirectory> outcome) {
            if (!outcome.value) {
                job_->showFailure(outcome.error.message, outcome.error.hint);
                return;
            }
            job_->setBusy(false);
            const QString path = QString::fromStdString(outcome.value->path().string());
            QSettings().setValue(QStringLiteral("train/runsFolder"),
                                 QFileInfo(path).absolutePath());
            openRun(path);
            startAfterOpening_ = path;
        });
}

void TrainWorkspace::runOpened() {
    charts_->reset();
    right_->setCurrentIndex(1);
    showRun(true);
    panel_->refresh();
    if (runPath() == startAfterOpening_) startTrainer();
    startAfterOpening_.clear();
    Q_EMIT runChanged();
}

void TrainWorkspace::startTrainer() {
    try {
        trainer_.emplace(follower_.directory().path());
    } catch (const core::Error& error) {
        panel_->showFailure(QString::fromUtf8(error.what()), QString::fromStdString(error.hint()));
        return;
    }
    startsBefore_ = follower_.metrics().starts();
    looksAfterDeath_ = 0;
    panel_->setStarting(true);
    startWatch_.start();
}

void TrainWorkspace::watchStart() {
    const bool began = follower_.metrics().starts() > startsBefore_;
    if (began) {
        startWatch_.stop();
        return panel_->setStarting(false);
    }
    if (trainer_->isRunning() || follower_.isAlive()) return follower_.pollSoon();
    if (++looksAfterDeath_ < kLooksAfterDeath) return follower_.pollSoon();
    startWatch_.stop();
    const auto words = trainer_->lastWords();
    panel_->showFailure(
        words ? QString::fromStdString(words->message) : tr("The trainer ended before it began."),
        words ? QString::fromStdString(words->hint)
              : tr("Its log is trainer.log in the run folder."));
}

void TrainWorkspace::runChangedNow() {
    Q_EMIT runChanged();
    dirty_ = true;
    if (!isVisible()) return;
    dirty_ = false;
    panel_->refresh();
    charts_->refresh();
}

void TrainWorkspace::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    follower_.setWatched(true);
    if (dirty_) runChangedNow();
}

void TrainWorkspace::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    follower_.setWatched(false);
}

}  // namespace ui
