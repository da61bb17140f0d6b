// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/decimate.h"
#include "ui/charts/ticks.h"

#include <QChartView>
#include <QColor>
#include <QString>

#include <optional>
#include <vector>

class QLineSeries;
class QValueAxis;

namespace ui {

/// A line ready to be drawn, in the units of the axes.
struct PlotCurve {
    Polylines lines;
    QColor color;
    double width = 1.5;
    bool markers = false;  ///< a dot on every vertex: few points that stand for themselves
};

/// One row of the read-out at the cursor.
struct ReadoutRow {
    QString name;
    QString value;
    QColor color;
    std::optional<Vertex> at;  ///< where to put the dot
};

struct PlotContent {
    Axis x, y;
    QString xName;
    std::vector<PlotCurve> curves;
};

/// The drawing surface of LineChart and the only file that knows Qt Charts: one QLineSeries per
/// unbroken line, replaced as a whole, in a unit square; grid, labels and cursor are painted
/// around it. Turns mouse and keys into the signals below and decides nothing.
class PlotView : public QChartView {
    Q_OBJECT

  public:
    explicit PlotView(QWidget* parent);

    void setContent(PlotContent content);
    const PlotContent& content() const noexcept { return content_; }
    /// Pixels the x axis runs over.
    int columns() const;
    /// The cursor line with its read-out; empty hides it. `pinned` marks the chart being pointed
    /// at: only it shows the box.
    void setCursor(std::optional<double> x, std::vector<ReadoutRow> rows, bool pinned);
    /// Gives the plot the size it is drawn at; the view's own size does this by itself.
    void layoutPlot(QSize size);
    /// Draws the content into `target`, laid out for its size, without cursor.
    void renderTo(QPainter& painter, const QRect& target);

  Q_SIGNALS:
    void hovered(double x);
    void left();
    void zoomed(double factor, double aboutX);
    void rangeChosen(double from, double to);
    void panned(double fractionOfWidth);
    void resetAsked();
    void cursorStepped(int columns);
    void plotResized();

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void drawBackground(QPainter* painter, const QRectF& exposed) override;
    void drawForeground(QPainter* painter, const QRectF& exposed) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    QRectF plotArea() const;
    double xAt(double pixel) const;
    QPointF pixelOf(const Vertex& vertex) const;
    void fillSeries();
    void drawAxes(QPainter& painter) const;
    void drawMarkers(QPainter& painter) const;
    void drawReadout(QPainter& painter) const;

    QValueAxis* unitX_;
    QValueAxis* unitY_;
    std::vector<QLineSeries*> pool_;
    PlotContent content_;
    std::optional<double> cursorX_;
    std::vector<ReadoutRow> rows_;
    bool pinned_ = false;
    std::optional<QPoint> pressedAt_;
    int draggedTo_ = 0;
    bool panning_ = false;
};

}  // namespace ui
