// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/run_panel.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "ui/charts/ticks.h"
#include "ui/train/device_query.h"
#include "ui/train/notice.h"
#include "ui/train/phase_pill.h"
#include "ui/widgets/elided_label.h"

#include <QDir>
#include <QLabel>
#include <QListView>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>

namespace ui {
namespace {

QString count(std::int64_t value) { return QLocale().toString(static_cast<qlonglong>(value)); }

QString lastValue(const RunMetrics& metrics, const std::string& name) {
    const SeriesPtr series = metrics.find(name);
    return series == nullptr || series->empty() ? QString() : valueText(series->y().back());
}

bool isOver(core::RunPhase phase) {
    return phase == core::RunPhase::Finished || phase == core::RunPhase::Stopped ||
           phase == core::RunPhase::Failed || phase == core::RunPhase::Crashed ||
           phase == core::RunPhase::New;
}

}  // namespace

void RunPanel::setStarting(bool starting) {
    starting_ = starting;
    if (starting) failure_.clear();
    refresh();
}

void RunPanel::showFailure(const QString& message, const QString& hint) {
    starting_ = false;
    failure_ = message;
    failureHint_ = hint;
    refresh();
}

void RunPanel::give(const char* order) {
    try {
        follower_.directory().order(order);
    } catch (const core::Error& error) {
        showFailure(QString::fromUtf8(error.what()), QString::fromStdString(error.hint()));
        return;
    }
    answered_ = follower_.phase();
    waiting_->setText(tr("Asked the trainer; it answers after the step it is in."));
    waiting_->show();
    follower_.pollSoon();
}

void RunPanel::refresh() {
    if (!follower_.isOpen()) return;
    const RunMetrics& metrics = follower_.metrics();
    const core::RunPhase phase = follower_.phase();
    if (starting_ && phase == core::RunPhase::Running && metrics.step() > 0) starting_ = false;
    if (phase != answered_) waiting_->hide();

    const QString path = QString::fromStdString(follower_.directory().path().string());
    name_->setText(QDir(path).dirName());
    place_->setText(path);
    if (starting_ && isOver(phase)) {
        pill_->setStarting();
    } else {
        pill_->setPhase(phase);
    }
    const auto steps = static_cast<double>(std::max<std::int64_t>(follower_.steps(), 1));
    progress_->setValue(static_cast<int>(static_cast<double>(metrics.step()) / steps * 1000));
    progressText_->setText(
        tr("Step %1 of %2").arg(count(metrics.step()), count(follower_.steps())));
    const auto left = follower_.secondsLeft();
    timeLeft_->setText(left && phase == core::RunPhase::Running
                           ? tr("%1 left").arg(QString::fromStdString(core::formatDuration(*left)))
                           : QString());
    refreshFacts();
    refreshActions(phase);
    refreshNotice(phase);
    alarmModel_.setAlarms(metrics.alarms());
    const bool any = !metrics.alarms().empty();
    alarmsTitle_->setText(any ? tr("Alarms (%1)").arg(metrics.alarms().size()) : tr("Alarms"));
    alarmsTitle_->setVisible(any);
    alarms_->setVisible(any);
}

void RunPanel::refreshFacts() {
    const RunMetrics& metrics = follower_.metrics();
    const QString none = QStringLiteral("–");
    const auto say = [&none](QLabel* label, const QString& text) {
        label->setText(text.isEmpty() ? none : text);
    };
    say(loss_, lastValue(metrics, metric::kLoss));
    QString accuracy;
    for (const char* split : {"test", "validation"}) {
        const SeriesPtr series = metrics.find(metric::eval(split, "accuracy"));
        if (series != nullptr && !series->empty()) {
            accuracy = QLocale().toString(series->y().back() * 100, 'f', 2) + QStringLiteral(" %");
            break;
        }
    }
    say(accuracy_, accuracy);
    const bool text = follower_.isText();
    const QString pace = lastValue(metrics, text ? metric::kTokenThroughput : metric::kThroughput);
    const QString unit = text ? tr("%1 tokens/s") : tr("%1 images/s");
    say(throughput_, pace.isEmpty() ? pace : unit.arg(pace));
    if (metrics.hello()) {
        const core::HelloEvent& hello = *metrics.hello();
        const QString name = deviceText(QString::fromStdString(hello.device));
        say(device_, hello.dtype.empty()
                         ? name
                         : name + QStringLiteral(", ") + QString::fromStdString(hello.dtype));
        device_->setToolTip(QString::fromStdString(hello.deviceReason));
    } else {
        say(device_, {});
    }
    say(checkpoint_,
        metrics.lastCheckpoint() ? tr("step %1").arg(count(*metrics.lastCheckpoint())) : QString());
}

void RunPanel::refreshActions(core::RunPhase phase) {
    const bool over = isOver(phase) && !starting_;
    liveActions_->setVisible(!over);
    restActions_->setVisible(over);
    const bool steering = follower_.isAlive() && phase != core::RunPhase::Stopping;
    for (QPushButton* button : {pause_, checkpointNow_, stopAndSave_, stopNow_}) {
        button->setEnabled(steering);
    }
    const bool paused = phase == core::RunPhase::Paused;
    pause_->setText(paused ? tr("Resume") : tr("Pause"));
    pause_->setProperty("order", paused ? QStringLiteral("resume") : QStringLiteral("pause"));
    const bool saved = follower_.metrics().lastCheckpoint().has_value();
    const bool finished = phase == core::RunPhase::Finished;
    resume_->setVisible(!finished);
    resume_->setText(phase == core::RunPhase::New ? tr("Start training") : tr("Resume training"));
    openModel_->setEnabled(saved);
    export_->setEnabled(saved);
}

void RunPanel::refreshNotice(core::RunPhase phase) {
    const RunMetrics& metrics = follower_.metrics();
    if (!failure_.isEmpty()) {
        notice_->say(Notice::Tone::Danger, failure_, failureHint_);
    } else if (phase == core::RunPhase::Crashed && !starting_) {
        const QString from = metrics.lastCheckpoint()
                                 ? tr("Resume goes on from the checkpoint of step %1.")
                                       .arg(count(*metrics.lastCheckpoint()))
                                 : tr("No checkpoint was written yet; Resume begins anew.");
        notice_->say(Notice::Tone::Danger,
                     tr("The trainer died at step %1 without a word.").arg(count(metrics.step())),
                     from);
    } else if (metrics.error() && !starting_) {
        notice_->say(Notice::Tone::Danger, QString::fromStdString(metrics.error()->message),
                     QString::fromStdString(metrics.error()->hint));
    } else {
        notice_->clear();
    }
}

}  // namespace ui
