// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/compare_workspace.h"

#include "ui/charts/line_chart.h"
#include "ui/document/background.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/empty_state.h"

#include <QComboBox>
#include <QFileDialog>
#include <QLabel>
#include <QSettings>
#include <QStackedWidget>
#include <QThreadPool>

namespace ui {

void CompareWorkspace::openFolder(const QString& folder) {
    folder_ = folder;
    ++generation_;
    scanning_ = false;
    firstLook_ = true;
    place_->setText(folder);
    QSettings().setValue(QStringLiteral("compare/folder"), folder);
    scan();
}

void CompareWorkspace::chooseFolder() {
    const QString chosen =
        QFileDialog::getExistingDirectory(this, tr("Compare the runs of a folder"), folder_);
    if (!chosen.isEmpty()) openFolder(chosen);
}

void CompareWorkspace::scan() {
    if (folder_.isEmpty() || scanning_ || !isVisible()) return;
    scanning_ = true;
    const quint64 generation = ++generation_;
    runInBackground(
        this, QThreadPool::globalInstance(),
        [folder = core::Path(folder_.toStdString())] { return scanRuns(folder); },
        [this, generation](Outcome<std::vector<RunSummary>> outcome) {
            if (generation != generation_) return;
            scanning_ = false;
            if (outcome.value) return take(std::move(*outcome.value));
            take({});
            Q_EMIT failed(outcome.error);
        });
}

void CompareWorkspace::take(std::vector<RunSummary> runs) {
    model_.setRuns(std::move(runs));
    refreshEmpty();
    if (!std::exchange(firstLook_, false)) return;
    int chosen = 0;
    for (const RunSummary& run : model_.runs()) {
        if (run.problem.isEmpty() && run.status.step > 0 && chosen++ < 4) {
            model_.choose(QString(run.path), true);
        }
    }
}

void CompareWorkspace::followChosen() {
    std::erase_if(followed_,
                  [this](const auto& entry) { return !model_.chosen().contains(entry.first); });
    for (const QString& path : model_.chosen()) {
        if (!followed_.contains(path)) follow(path);
    }
    redraw();
}

void CompareWorkspace::follow(const QString& path) {
    Chosen& chosen = followed_[path];
    chosen.follower = std::make_unique<RunFollower>();
    chosen.follower->setWatched(isVisible());
    connect(chosen.follower.get(), &RunFollower::changed, this, &CompareWorkspace::redraw);
    connect(chosen.follower.get(), &RunFollower::failed, this, &CompareWorkspace::failed);
    chosen.follower->open(path);
    runInBackground(
        chosen.follower.get(), QThreadPool::globalInstance(),
        [run = core::Path(path.toStdString())] { return costOfRun(run); },
        [this, path](Outcome<RunCost> outcome) {
            if (!outcome.value || !followed_.contains(path)) return;
            followed_[path].cost = *outcome.value;
            redraw();
        });
}

QString CompareWorkspace::unknownText(int missing) const {
    if (missing == 0) return {};
    return tr("%n run(s) without this value", nullptr, missing);
}

void CompareWorkspace::redraw() {
    if (!isVisible()) return;
    const auto axis = static_cast<ComparisonAxis>(axis_->currentData().toInt());
    const std::string name = metric_->currentData().toString().toStdString();
    for (const auto& [path, chosen] : followed_)
        if (chosen.follower->isOpen())
            offer(comparedMetricsOf(chosen.follower->metrics().stacks()));
    const auto found = std::find_if(offered_.begin(), offered_.end(),
                                    [&name](const ComparedMetric& m) { return m.name == name; });
    std::vector<LineChart::Curve> curves;
    int missing = 0;
    for (const QString& path : model_.chosen()) {
        const Chosen& chosen = followed_.at(path);
        if (!chosen.follower->isOpen()) continue;
        const SeriesPtr series = seriesOver(chosen.follower->metrics(), name, axis, chosen.cost);
        if (series == nullptr) {
            ++missing;
            continue;
        }
        curves.push_back({{QFileInfo(path).fileName(), model_.colorOf(path), true, true}, series});
    }
    chart_->setFormat(found->percent ? ValueFormat::Percent : ValueFormat::Plain);
    chart_->setXName(axisName(axis));
    chart_->setTitle(found->title);
    chart_->setNote(unknownText(missing));
    chart_->setEmptyText(model_.chosen().isEmpty() ? tr("Check runs in the table to draw them.")
                         : missing > 0             ? tr("The checked runs do not have this value.")
                                                   : tr("Reading…"));
    chart_->setCurves(std::move(curves));
}

/// Those that are not in the list yet; what was once offered stays.
void CompareWorkspace::offer(const std::vector<ComparedMetric>& metrics) {
    const QSignalBlocker quiet(metric_);
    for (const ComparedMetric& compared : metrics) {
        const QString name = QString::fromStdString(compared.name);
        if (metric_->findData(name) >= 0) continue;
        offered_.push_back(compared);
        metric_->addItem(compared.title, name);
    }
}

void CompareWorkspace::setMetric(const std::string& name) {
    metric_->setCurrentIndex(metric_->findData(QString::fromStdString(name)));
}

void CompareWorkspace::setAxis(ComparisonAxis axis) {
    axis_->setCurrentIndex(axis_->findData(static_cast<int>(axis)));
}

ChartWidget* CompareWorkspace::currentChart() const { return chart_; }

void CompareWorkspace::refreshEmpty() {
    pages_->setCurrentIndex(model_.rowCount() > 0 ? 1 : 0);
    empty_->setText(folder_.isEmpty()
                        ? tr("Choose a folder that holds runs: each becomes a row, and the "
                             "checked ones are drawn over each other.")
                        : tr("There is no run in this folder yet."));
}

void CompareWorkspace::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    for (auto& [path, chosen] : followed_) chosen.follower->setWatched(true);
    timer_.start();
    scan();
    redraw();
}

void CompareWorkspace::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    timer_.stop();
    for (auto& [path, chosen] : followed_) chosen.follower->setWatched(false);
}

}  // namespace ui
