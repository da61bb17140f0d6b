// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/line_chart.h"
#include "ui/runs/run_follower.h"

#include <QString>
#include <QWidget>

#include <optional>
#include <vector>

class QComboBox;
class QGridLayout;

namespace ui {

class HeatMap;
class LoadBars;
class SamplePanel;

/// The charts of one run in a calm grid that has as many columns as fit. One cursor for all of
/// them: pointing at a step in one shows it in the others, and the router's load as it was then. A
/// hidden one draws nothing.
class RunCharts : public QWidget {
    Q_OBJECT

  public:
    RunCharts(RunFollower& follower, QWidget* parent);

    /// Another run: zoom, chosen layer and scales start anew.
    void reset();
    /// The follower's metrics have grown or changed.
    void refresh();

    /// Every chart, in the order of reading.
    const std::vector<ChartWidget*>& charts() const noexcept { return charts_; }
    /// The one that has the focus or the pointer; the first one otherwise.
    ChartWidget* current() const;
    /// Nullptr when there is none of that title.
    LineChart* line(const QString& objectName) const;
    HeatMap& heatMap() { return *heat_; }
    LoadBars& loadBars() { return *bars_; }
    SamplePanel& samplePanel() { return *sample_; }
    QString layer() const;
    void setLayer(const QString& block);
    /// Puts the cursor of every chart on this step.
    void showStep(double step) { moveCursor(nullptr, step); }

  Q_SIGNALS:
    void exportFailed(const QString& message, const QString& hint);

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

  private:
    LineChart* addLine(const QString& objectName, const QString& title, const QString& empty);
    void buildCharts();
    void buildBar();
    void arrange(int columns);
    void setCurves();
    void setLayerCurves();
    void setLayers();
    std::vector<LineChart::Curve> meanCurves(const char* quantity) const;
    void showLoads();
    void moveCursor(LineChart* source, double x);

    RunFollower& follower_;
    std::vector<ChartWidget*> charts_;
    std::vector<LineChart*> lines_;
    HeatMap* heat_;
    LoadBars* bars_;
    SamplePanel* sample_;
    QComboBox* layers_;  ///< under headings where there is more than one stack
    QWidget* bar_;
    QGridLayout* grid_;
    int columns_ = 0;
    std::optional<std::uint64_t> shape_;
    std::optional<double> cursor_;
    bool dirty_ = false;
};

}  // namespace ui
