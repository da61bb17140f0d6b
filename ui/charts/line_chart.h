// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_widget.h"
#include "ui/charts/series.h"
#include "ui/charts/smoothing.h"
#include "ui/charts/ticks.h"

#include <QElapsedTimer>
#include <QString>
#include <QTimer>

#include <optional>
#include <vector>

namespace ui {

class PlotView;
struct PlotContent;
struct ReadoutRow;

/// How one series of a chart looks and is called.
struct CurveStyle {
    QString name;
    int color = 0;         ///< index into tokens().series
    bool smooth = true;    ///< takes part in smoothing; false for rare values like validation
    bool markers = false;  ///< a dot on every point while they are few
};

/// Curves over a common x axis: linear or logarithmic y, smoothing (the average over the faint raw
/// curve), read-out under the mouse, zoom and pan by mouse and keys, export. Series are shared with
/// whoever appends to them; after appending call `refresh()`: the picture follows at most ten times
/// a second, and not at all while hidden.
class LineChart : public ChartWidget {
    Q_OBJECT

  public:
    explicit LineChart(const QString& title, QWidget* parent = nullptr);

    /// Replaces all curves; the view (zoom, log, smoothing) is kept.
    struct Curve {
        CurveStyle style;
        SeriesPtr series;
    };
    void setCurves(std::vector<Curve> curves);
    const std::vector<Curve>& curves() const noexcept { return curves_; }
    void setXName(const QString& name);
    /// At least up to here, so that charts of one run span the same steps.
    void setXEnd(double x);
    /// The y axis always holds this value (0 for shares, so that noise is not blown up).
    void setYBase(std::optional<double> value);
    void setYTop(std::optional<double> value);

    void setFormat(ValueFormat format);

    /// Series have grown or were cut.
    void refresh();
    /// Draws now; a hidden chart waits until it is shown.
    void refreshNow();
    /// Pictures made so far: at most ten a second, none while hidden.
    int redraws() const noexcept { return redraws_; }

    void setLogarithmic(bool on);
    bool isLogarithmic() const noexcept { return logarithmic_; }
    void setSmoothing(double weight);
    double smoothing() const noexcept { return smoothing_; }

    void zoom(double factor, double aboutX);
    void pan(double fractionOfWidth);
    void showRange(double from, double to);
    void resetZoom();
    bool isZoomed() const noexcept { return zoom_.has_value(); }
    Axis xAxis() const;
    Axis yAxis() const;

    /// The cursor line of a chart beside this one, without the box.
    void showCursor(std::optional<double> x);
    /// The values at x as the read-out says them: "name value".
    QStringList readout(double x) const;
    PlotView& view() { return *view_; }

    QByteArray csv() const override;
    bool isEmpty() const override;

  Q_SIGNALS:
    /// Pointed at x; NaN when the pointer left.
    void cursorMoved(double x);

  protected:
    std::vector<LegendEntry> legend() const override;
    void renderBody(QPainter& painter, const QRect& body) override;
    void fillMenu(QMenu& menu) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

  private:
    struct Range {
        double from = 0, to = 1;
    };
    Range dataRange() const;
    Range shownRange() const;
    PlotContent makeContent(int columns);
    std::vector<ReadoutRow> rowsAt(double x) const;
    void setZoom(Range range);
    /// The x of a point that some series has, nearest to `x`.
    double nearestX(double x) const;
    void hover(double x);
    void stepCursor(int columns);
    void leave();
    void describe();

    PlotView* view_;
    std::vector<Curve> curves_;
    mutable std::vector<Smoothing> smoothed_;
    QString xName_;
    double xEnd_ = 0;
    std::optional<double> yBase_, yTop_;
    ValueFormat format_ = ValueFormat::Plain;
    bool logarithmic_ = false;
    double smoothing_ = 0;
    std::optional<Range> zoom_;
    bool followEnd_ = false;
    std::optional<double> cursor_;
    QTimer throttle_;
    QElapsedTimer sinceRedraw_;
    bool dirty_ = false;
    int redraws_ = 0;
};

}  // namespace ui
