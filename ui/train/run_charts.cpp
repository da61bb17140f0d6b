// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/run_charts.h"

#include "ui/charts/heat_map.h"
#include "ui/charts/load_bars.h"
#include "ui/models/cell.h"
#include "ui/train/sample_panel.h"

#include <QComboBox>
#include <QGridLayout>
#include <QLocale>
#include <QStandardItemModel>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr int kColumnWidth = 400;
constexpr int kMostColumns = 3;

/// Blocks that take every expert evenly by construction.
bool isExpertChoice(const core::JobSpec& job, const std::string& block) {
    if (!job.plan) return false;
    const auto layer = job.plan->layers.find(block);
    return layer != job.plan->layers.end() &&
           layer->second.moe.router == core::RouterKind::ExpertChoice;
}

/// A line in the list that cannot be chosen.
void addHeading(QComboBox& box, const QString& text) {
    box.addItem(text);
    auto* items = qobject_cast<QStandardItemModel*>(box.model());
    if (items != nullptr) items->item(box.count() - 1)->setFlags(Qt::NoItemFlags);
}

}  // namespace

void RunCharts::reset() {
    shape_.reset();
    cursor_.reset();
    for (LineChart* chart : lines_) {
        chart->setCurves({});
        chart->setXEnd(0);
        chart->resetZoom();
        chart->showCursor(std::nullopt);
    }
    heat_->resetScale();
    heat_->setLoads({}, {});
    bars_->setLoads({}, {});
    layers_->clear();
    sample_->reset();
    refresh();
}

void RunCharts::refresh() {
    dirty_ = true;
    if (!isVisible()) return;
    dirty_ = false;
    const RunMetrics& metrics = follower_.metrics();
    if (shape_ != metrics.shape()) {
        shape_ = metrics.shape();
        setLayers();
        setCurves();
    }
    for (LineChart* chart : lines_) {
        chart->setXEnd(static_cast<double>(metrics.step()));
        chart->refresh();
    }
    showLoads();
    sample_->refresh(metrics);
}

void RunCharts::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (dirty_) refresh();
}

void RunCharts::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange(std::clamp(width() / kColumnWidth, 1, kMostColumns));
}

void RunCharts::arrange(int columns) {
    if (columns == columns_) return;
    columns_ = columns;
    for (ChartWidget* chart : charts_) grid_->removeWidget(chart);
    for (int column = 0; column < kMostColumns; ++column) {
        grid_->setColumnStretch(column, column < columns ? 1 : 0);
    }
    int place = 0;
    for (ChartWidget* chart : charts_) {
        grid_->addWidget(chart, place / columns, place % columns);
        ++place;
    }
}

void RunCharts::setLayers() {
    const QString before = layer();
    const RunMetrics& metrics = follower_.metrics();
    const QSignalBlocker quiet(layers_);
    layers_->clear();
    const bool grouped = metrics.stacks().size() > 1;
    for (const std::string& stack : metrics.stacks()) {
        if (grouped) addHeading(*layers_, stackName(stack));
        for (const std::string& block : metrics.blocks())
            if (block.starts_with(stack + ".") || block == stack)
                layers_->addItem(QString::fromStdString(block));
    }
    layers_->setCurrentIndex(std::max(grouped ? 1 : 0, layers_->findText(before)));
    layers_->setVisible(!metrics.blocks().empty());
}

QString RunCharts::layer() const { return layers_->currentText(); }

void RunCharts::setLayer(const QString& block) { layers_->setCurrentText(block); }

void RunCharts::setCurves() {
    const RunMetrics& metrics = follower_.metrics();
    std::vector<LineChart::Curve> curves;
    const auto add = [&](const std::string& name, const QString& label, bool smooth, bool markers) {
        if (const SeriesPtr series = metrics.find(name)) {
            curves.push_back(
                {{label, static_cast<int>(curves.size() % 8), smooth, markers}, series});
        }
    };
    const auto give = [&](const char* chart) {
        line(QString::fromLatin1(chart))->setCurves(std::move(curves));
        curves.clear();
    };
    add(metric::kLoss, tr("train"), true, false);
    add(metric::eval("validation", "loss"), tr("validation"), false, true);
    add(metric::eval("test", "loss"), tr("test"), false, true);
    give("chart/loss");
    add(metric::eval("validation", "accuracy"), tr("validation"), false, true);
    add(metric::eval("test", "accuracy"), tr("test"), false, true);
    give("chart/accuracy");
    add(metric::kLearningRate, tr("learning rate"), false, false);
    give("chart/learning-rate");
    if (follower_.isOpen() && follower_.isText())
        add(metric::kTokenThroughput, tr("tokens per second"), true, false);
    else
        add(metric::kThroughput, tr("images per second"), true, false);
    give("chart/throughput");
    add(metric::kGradientNorm, tr("gradient norm"), true, false);
    give("chart/gradient-norm");
    setLayerCurves();
}

/// What the layer stands beside: the mean over all, or over each stack, for those have routers of
/// different kinds.
std::vector<LineChart::Curve> RunCharts::meanCurves(const char* quantity) const {
    const RunMetrics& metrics = follower_.metrics();
    std::vector<LineChart::Curve> curves;
    if (metrics.blocks().size() < 2) return curves;
    const std::vector<std::string> stacks = metrics.stacks();
    int color = 2;
    const auto add = [&](const QString& name, const std::string& block) {
        curves.push_back(
            {{name, color++, true, false}, metrics.find(metric::router(block, quantity))});
    };
    if (stacks.size() < 2)
        add(tr("all layers"), metric::kAllBlocks);
    else
        for (const std::string& stack : stacks)
            add(stackName(stack).toLower(), metric::allOf(stack));
    return curves;
}

void RunCharts::setLayerCurves() {
    const RunMetrics& metrics = follower_.metrics();
    const std::string block = layer().toStdString();
    const SeriesPtr own = metrics.find(metric::router(block, "unrouted"));
    std::vector<LineChart::Curve> shares;
    if (own != nullptr) {
        shares.push_back({{tr("unrouted"), 0, true, false}, own});
        shares.push_back(
            {{tr("dropped"), 1, true, false}, metrics.find(metric::router(block, "dropped"))});
    }
    for (LineChart::Curve& mean : meanCurves("unrouted")) shares.push_back(std::move(mean));
    std::vector<LineChart::Curve> entropy;
    if (own != nullptr)
        entropy.push_back(
            {{layer(), 0, true, false}, metrics.find(metric::router(block, "entropy"))});
    for (LineChart::Curve& mean : meanCurves("entropy")) entropy.push_back(std::move(mean));
    LineChart* shareChart = line(QStringLiteral("chart/unrouted"));
    shareChart->setCurves(std::move(shares));
    shareChart->setNote(layer());
    line(QStringLiteral("chart/entropy"))->setCurves(std::move(entropy));
    bars_->setNote(follower_.isOpen() && isExpertChoice(follower_.job(), block)
                       ? tr("even by construction")
                       : QString());
    showLoads();
}

void RunCharts::showLoads() {
    const RunMetrics& metrics = follower_.metrics();
    QStringList names;
    std::vector<std::vector<double>> loads;
    const auto at = [this](const LoadHistory& history) {
        return cursor_ ? history.at(*cursor_) : history.last();
    };
    for (const std::string& block : metrics.blocks()) {
        const LoadHistory& history = metrics.loads(block);
        if (history.empty()) continue;
        names << QString::fromStdString(block);
        loads.push_back(at(history));
        if (names.back() == layer()) {
            bars_->setLoads(layer(), loads.back());
            const double step = cursor_ ? history.stepAt(*cursor_) : history.lastStep();
            heat_->setNote(tr("step %1").arg(QLocale().toString(step, 'f', 0)));
        }
    }
    heat_->setLoads(names, std::move(loads));
}

void RunCharts::moveCursor(LineChart* source, double x) {
    cursor_ = std::isnan(x) ? std::nullopt : std::optional(x);
    for (LineChart* chart : lines_) {
        if (chart != source) chart->showCursor(cursor_);
    }
    showLoads();
}

LineChart* RunCharts::line(const QString& objectName) const {
    for (LineChart* chart : lines_) {
        if (chart->objectName() == objectName) return chart;
    }
    return nullptr;
}

ChartWidget* RunCharts::current() const {
    for (ChartWidget* chart : charts_) {
        const QWidget* focus = chart->focusWidget();
        if (chart->hasFocus() || (focus != nullptr && focus->hasFocus())) return chart;
    }
    for (ChartWidget* chart : charts_) {
        if (chart->underMouse()) return chart;
    }
    return charts_.front();
}

}  // namespace ui
