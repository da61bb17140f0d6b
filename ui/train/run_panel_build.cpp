// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/notice.h"
#include "ui/train/phase_pill.h"
#include "ui/train/run_panel.h"
#include "ui/widgets/elided_label.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

namespace ui {
namespace {

QLabel* label(TextRole role, bool muted, const QString& text = {}) {
    auto* made = new QLabel(text);
    setTextRole(made, role, muted);
    return made;
}

}  // namespace

RunPanel::RunPanel(RunFollower& follower, QWidget* parent)
    : QWidget(parent),
      follower_(follower),
      name_(label(TextRole::Title, false)),
      place_(new ElidedLabel(Qt::ElideMiddle, this)),
      progressText_(label(TextRole::Body, false)),
      timeLeft_(label(TextRole::Body, true)),
      alarmsTitle_(label(TextRole::Strong, false)),
      waiting_(label(TextRole::Caption, true)),
      pill_(new PhasePill),
      progress_(new QProgressBar),
      facts_(new QWidget),
      liveActions_(new QWidget),
      restActions_(new QWidget),
      notice_(new Notice),
      alarms_(new QListView) {
    setTextRole(place_, TextRole::Caption, true);
    progress_->setRange(0, 1000);
    progress_->setTextVisible(false);
    progress_->setAccessibleName(tr("Progress of the run"));
    waiting_->setWordWrap(true);
    waiting_->hide();
    alarms_->setModel(&alarmModel_);
    alarms_->setAccessibleName(tr("Alarms"));
    alarms_->setWordWrap(true);
    alarms_->setTextElideMode(Qt::ElideNone);
    alarms_->setResizeMode(QListView::Adjust);
    alarms_->setSelectionMode(QAbstractItemView::SingleSelection);
    alarms_->setMinimumHeight(96);
    alarms_->setToolTip(tr("Enter or a click shows the step and the layer in the charts"));
    const auto choose = [this](const QModelIndex& alarm) {
        Q_EMIT alarmChosen(alarm.data(AlarmModel::BlockRole).toString(),
                           alarm.data(AlarmModel::StepRole).toDouble());
    };
    connect(alarms_, &QListView::clicked, this, choose);
    connect(alarms_, &QListView::activated, this, choose);
    buildFacts();
    buildActions();

    auto* back = new QPushButton(tr("New run"));
    setButtonKind(back, ButtonKind::Ghost);
    setButtonIcon(*back, QStringLiteral("plus"), IconTone::Muted);
    back->setToolTip(tr("Back to the form; a run that is going on goes on."));
    connect(back, &QPushButton::clicked, this, &RunPanel::newRunAsked);

    auto* top = new QHBoxLayout;
    top->addWidget(pill_);
    top->addStretch(1);
    top->addWidget(back);
    auto* along = new QHBoxLayout;
    along->addWidget(progressText_);
    along->addStretch(1);
    along->addWidget(timeLeft_);
    auto* title = new QVBoxLayout;
    title->setSpacing(2);
    title->addWidget(name_);
    title->addWidget(place_);
    auto* bar = new QVBoxLayout;
    bar->setSpacing(space::kXs + 2);
    bar->addWidget(progress_);
    bar->addLayout(along);

    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::kL, space::kM, space::kL, space::kL);
    column->setSpacing(space::kL);
    column->addLayout(top);
    column->addLayout(title);
    column->addLayout(bar);
    column->addWidget(liveActions_);
    column->addWidget(restActions_);
    column->addWidget(waiting_);
    column->addWidget(notice_);
    column->addWidget(facts_);
    column->addWidget(alarmsTitle_);
    column->addWidget(alarms_, 1);
    column->addStretch(0);
    column->setAlignment(facts_, Qt::AlignTop);
}

QLabel* RunPanel::fact(QGridLayout& grid, int row, const QString& name) {
    auto* value = label(TextRole::Body, false);
    value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    value->setAccessibleName(name);
    grid.addWidget(label(TextRole::Body, true, name), row, 0);
    grid.addWidget(value, row, 1);
    return value;
}

void RunPanel::buildFacts() {
    auto* grid = new QGridLayout(facts_);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setVerticalSpacing(space::kS);
    grid->setColumnStretch(1, 1);
    loss_ = fact(*grid, 0, tr("Loss"));
    accuracy_ = fact(*grid, 1, tr("Accuracy"));
    throughput_ = fact(*grid, 2, tr("Throughput"));
    checkpoint_ = fact(*grid, 3, tr("Last checkpoint"));
    device_ = fact(*grid, 4, tr("Device"));
}

QPushButton* RunPanel::orderButton(const QString& name, const QString& iconName,
                                   const QString& text, const QString& help) {
    auto* button = new QPushButton(text);
    setButtonIcon(*button, iconName);
    button->setObjectName(name);
    button->setToolTip(help);
    button->setAccessibleDescription(help);
    return button;
}

void RunPanel::buildActions() {
    pause_ = orderButton(QStringLiteral("run/pause"), QStringLiteral("pause"), tr("Pause"),
                         tr("Keeps everything in memory and waits; Resume goes on at once."));
    checkpointNow_ =
        orderButton(QStringLiteral("run/checkpoint"), QStringLiteral("checkpoint"),
                    tr("Checkpoint now"), tr("Writes a checkpoint after this step and goes on."));
    stopAndSave_ =
        orderButton(QStringLiteral("run/stop-and-save"), QStringLiteral("stop-save"),
                    tr("Stop and save"), tr("Writes a checkpoint, then ends. Nothing is lost."));
    stopNow_ = orderButton(QStringLiteral("run/stop"), QStringLiteral("stop"), tr("Stop now"),
                           tr("Ends without writing: steps since the last checkpoint are lost."));
    setButtonKind(stopNow_, ButtonKind::Danger);
    connect(pause_, &QPushButton::clicked, this, [this] {
        give(pause_->property("order").toString() == QLatin1String("resume") ? "resume" : "pause");
    });
    connect(checkpointNow_, &QPushButton::clicked, this, [this] { give("checkpoint"); });
    connect(stopAndSave_, &QPushButton::clicked, this, [this] { give("stop-and-save"); });
    connect(stopNow_, &QPushButton::clicked, this, [this] { give("stop"); });
    auto* live = new QGridLayout(liveActions_);
    live->setContentsMargins(0, 0, 0, 0);
    live->setSpacing(space::kS);
    live->addWidget(pause_, 0, 0);
    live->addWidget(checkpointNow_, 0, 1);
    live->addWidget(stopAndSave_, 1, 0);
    live->addWidget(stopNow_, 1, 1);

    resume_ = orderButton(QStringLiteral("run/resume"), QStringLiteral("play"),
                          tr("Resume training"), tr("Goes on from the newest checkpoint."));
    setButtonIcon(*resume_, QStringLiteral("play"), IconTone::OnAccent);
    setButtonKind(resume_, ButtonKind::Primary);
    openModel_ = orderButton(QStringLiteral("run/open"), QStringLiteral("model"), tr("Open model"),
                             tr("Shows the newest checkpoint on the canvas."));
    export_ = orderButton(QStringLiteral("run/export"), QStringLiteral("export"), tr("Export…"),
                          tr("Writes the newest checkpoint for other tools."));
    connect(resume_, &QPushButton::clicked, this, &RunPanel::resumeAsked);
    const auto model = [this] {
        const QString run = QString::fromStdString(follower_.directory().path().string());
        return QStringLiteral("%1@%2").arg(run).arg(*follower_.metrics().lastCheckpoint());
    };
    connect(openModel_, &QPushButton::clicked, this,
            [this, model] { Q_EMIT openModelAsked(model()); });
    connect(export_, &QPushButton::clicked, this, [this, model] { Q_EMIT exportAsked(model()); });
    auto* rest = new QGridLayout(restActions_);
    rest->setContentsMargins(0, 0, 0, 0);
    rest->setSpacing(space::kS);
    rest->addWidget(resume_, 0, 0, 1, 2);
    rest->addWidget(openModel_, 1, 0);
    rest->addWidget(export_, 1, 1);
}

}  // namespace ui
