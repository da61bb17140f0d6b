// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/heat_map.h"
#include "ui/charts/load_bars.h"
#include "ui/charts/smoothing_slider.h"
#include "ui/theme/theme.h"
#include "ui/train/run_charts.h"
#include "ui/train/sample_panel.h"

#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QVBoxLayout>

namespace ui {

RunCharts::RunCharts(RunFollower& follower, QWidget* parent)
    : QWidget(parent),
      follower_(follower),
      heat_(new HeatMap(tr("Router load by layer"), this)),
      bars_(new LoadBars(tr("Load per expert"), this)),
      sample_(new SamplePanel(this)),
      layers_(new QComboBox),
      bar_(new QWidget),
      grid_(new QGridLayout) {
    buildCharts();
    buildBar();
    grid_->setSpacing(space::kM);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::kL, space::kM, space::kL, space::kL);
    column->setSpacing(space::kM);
    column->addWidget(bar_);
    column->addWidget(sample_);
    column->addLayout(grid_, 1);
    arrange(2);
}

LineChart* RunCharts::addLine(const QString& objectName, const QString& title,
                              const QString& empty) {
    auto* chart = new LineChart(title, this);
    chart->setObjectName(objectName);
    chart->setEmptyText(empty);
    lines_.push_back(chart);
    charts_.push_back(chart);
    connect(chart, &LineChart::cursorMoved, this,
            [this, chart](double x) { moveCursor(chart, x); });
    connect(chart, &ChartWidget::exportFailed, this, &RunCharts::exportFailed);
    return chart;
}

void RunCharts::buildCharts() {
    addLine(QStringLiteral("chart/loss"), tr("Loss"),
            tr("Training loss at every step, validation loss whenever it is evaluated."));
    bars_->setObjectName(QStringLiteral("chart/load"));
    bars_->setEmptyText(tr("How many tokens each expert of a layer gets; 1 is an even share."));
    heat_->setObjectName(QStringLiteral("chart/heat"));
    heat_->setEmptyText(tr("The load of every expert of every MoE layer at a glance."));
    for (ChartWidget* chart : std::initializer_list<ChartWidget*>{bars_, heat_}) {
        charts_.push_back(chart);
        connect(chart, &ChartWidget::exportFailed, this, &RunCharts::exportFailed);
    }
    layers_->setAccessibleName(tr("Layer"));
    layers_->setToolTip(tr("The MoE layer whose router is shown"));
    layers_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    layers_->hide();
    bars_->setHeaderWidget(layers_);
    connect(layers_, &QComboBox::currentIndexChanged, this, &RunCharts::setLayerCurves);
    connect(heat_, &HeatMap::rowChosen, this, [this](int row) { setLayer(heat_->layerAt(row)); });

    LineChart* shares =
        addLine(QStringLiteral("chart/unrouted"), tr("Unrouted and dropped tokens"),
                tr("Tokens that no expert takes, and assignments beyond an expert's capacity."));
    shares->setFormat(ValueFormat::Percent);
    shares->setYBase(0);
    LineChart* entropy =
        addLine(QStringLiteral("chart/entropy"), tr("Router entropy"),
                tr("1: the router cannot decide between experts; 0: it is always certain."));
    entropy->setYBase(0);
    entropy->setYTop(1);
    addLine(QStringLiteral("chart/accuracy"), tr("Accuracy"),
            tr("Appears with the first evaluation."))
        ->setFormat(ValueFormat::Percent);
    addLine(QStringLiteral("chart/throughput"), tr("Throughput"),
            tr("Images per second, or tokens of text without their padding."))
        ->setYBase(0);
    addLine(QStringLiteral("chart/learning-rate"), tr("Learning rate"),
            tr("As the schedule gives it, step by step."))
        ->setYBase(0);
    addLine(QStringLiteral("chart/gradient-norm"), tr("Gradient norm"), tr("Before clipping."))
        ->setYBase(0);
}

void RunCharts::buildBar() {
    auto* row = new QHBoxLayout(bar_);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kS);
    auto* smoothing = new SmoothingSlider;
    const auto smooth = [this](double weight) {
        for (LineChart* chart : lines_) chart->setSmoothing(weight);
    };
    connect(smoothing, &SmoothingSlider::changed, this, smooth);
    smooth(smoothing->weight());
    auto* everything = new QPushButton(tr("Show everything"));
    setButtonKind(everything, ButtonKind::Ghost);
    everything->setToolTip(tr("Undo every zoom"));
    connect(everything, &QPushButton::clicked, this, [this] {
        for (LineChart* chart : lines_) chart->resetZoom();
    });
    row->addWidget(smoothing);
    row->addStretch(1);
    row->addWidget(everything);
}

}  // namespace ui
