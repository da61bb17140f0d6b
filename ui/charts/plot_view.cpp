// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/plot_view.h"

#include "ui/charts/chart_painting.h"
#include "ui/theme/theme.h"

#include <QChart>
#include <QGraphicsLayout>
#include <QLineSeries>
#include <QMouseEvent>
#include <QPainter>
#include <QValueAxis>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <utility>

namespace ui {
namespace {

constexpr int kDragThreshold = 4;
constexpr double kWheelZoom = 1.0015;  // per eighth of a degree
constexpr double kKeyZoom = 1.5;

QValueAxis* hiddenUnitAxis(QChart& chart, Qt::Alignment side) {
    auto* axis = new QValueAxis(&chart);
    axis->setRange(0, 1);
    axis->setVisible(false);
    chart.addAxis(axis, side);
    return axis;
}

}  // namespace

PlotView::PlotView(QWidget* parent) : QChartView(new QChart, parent) {
    QChart& c = *chart();
    c.legend()->hide();
    c.setBackgroundVisible(false);
    c.setPlotAreaBackgroundVisible(false);
    c.setAnimationOptions(QChart::NoAnimation);
    c.setMargins(QMargins(0, 0, 0, 0));
    c.layout()->setContentsMargins(0, 0, 0, 0);
    unitX_ = hiddenUnitAxis(c, Qt::AlignBottom);
    unitY_ = hiddenUnitAxis(c, Qt::AlignLeft);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
    setRenderHint(QPainter::Antialiasing);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
}

void PlotView::setContent(PlotContent content) {
    content_ = std::move(content);
    fillSeries();
    viewport()->update();
}

void PlotView::fillSeries() {
    std::size_t used = 0;
    QList<QPointF> points;
    for (const PlotCurve& curve : content_.curves) {
        QPen pen(curve.color, curve.width);
        pen.setCapStyle(Qt::RoundCap);
        pen.setJoinStyle(Qt::RoundJoin);
        for (std::size_t i = 0; i < curve.lines.lines(); ++i) {
            const std::span<const Vertex> line = curve.lines.line(i);
            points.clear();
            points.reserve(static_cast<qsizetype>(line.size()));
            for (const Vertex& v : line) {
                points.append({content_.x.position(v.x), content_.y.position(v.y)});
            }
            if (used == pool_.size()) {
                auto* series = new QLineSeries(chart());
                chart()->addSeries(series);
                series->attachAxis(unitX_);
                series->attachAxis(unitY_);
                pool_.push_back(series);
            }
            QLineSeries& series = *pool_[used++];
            if (series.pen() != pen) series.setPen(pen);
            series.replace(points);
        }
    }
    for (; used < pool_.size(); ++used) {
        if (pool_[used]->count() > 0) pool_[used]->clear();
    }
}

void PlotView::layoutPlot(QSize size) {
    const int left = yLabelWidth();
    const int top = xLabelHeight() / 2;
    chart()->resize(size);
    chart()->setPlotArea(QRectF(left, top, std::max(1, size.width() - left - space::kS),
                                std::max(1, size.height() - top - xLabelHeight())));
}

void PlotView::resizeEvent(QResizeEvent* event) {
    QChartView::resizeEvent(event);
    layoutPlot(size());
    Q_EMIT plotResized();
}

QRectF PlotView::plotArea() const { return chart()->plotArea(); }

int PlotView::columns() const { return std::max(1, static_cast<int>(plotArea().width())); }

double PlotView::xAt(double pixel) const {
    const QRectF area = plotArea();
    return content_.x.valueAt(std::clamp((pixel - area.left()) / area.width(), 0.0, 1.0));
}

QPointF PlotView::pixelOf(const Vertex& vertex) const {
    const QRectF area = plotArea();
    return {area.left() + content_.x.position(vertex.x) * area.width(),
            area.bottom() - content_.y.position(vertex.y) * area.height()};
}

void PlotView::setCursor(std::optional<double> x, std::vector<ReadoutRow> rows, bool pinned) {
    cursorX_ = x;
    rows_ = std::move(rows);
    pinned_ = pinned;
    viewport()->update();
}

void PlotView::renderTo(QPainter& painter, const QRect& target) {
    const QRectF source(QPointF(0, 0), target.size());
    painter.save();
    painter.translate(target.topLeft());
    drawAxes(painter);
    painter.restore();
    scene()->render(&painter, target, source);
    painter.save();
    painter.translate(target.topLeft());
    drawMarkers(painter);
    painter.restore();
}

void PlotView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return event->ignore();
    pressedAt_ = event->pos();
    draggedTo_ = event->pos().x();
    panning_ = (event->modifiers() & Qt::ShiftModifier) != 0;
    if (panning_) viewport()->setCursor(Qt::ClosedHandCursor);
}

void PlotView::mouseMoveEvent(QMouseEvent* event) {
    const int x = event->pos().x();
    if (pressedAt_ && panning_) {
        Q_EMIT panned((draggedTo_ - x) / plotArea().width());
    }
    draggedTo_ = x;
    const QRectF area = plotArea();
    if (x < area.left() || x > area.right()) {
        Q_EMIT left();
    } else {
        Q_EMIT hovered(xAt(x));
    }
    if (pressedAt_) viewport()->update();
}

void PlotView::mouseReleaseEvent(QMouseEvent* event) {
    if (!pressedAt_) return;
    const int from = std::min(pressedAt_->x(), event->pos().x());
    const int to = std::max(pressedAt_->x(), event->pos().x());
    pressedAt_.reset();
    viewport()->unsetCursor();
    viewport()->update();
    if (!panning_ && to - from >= kDragThreshold) Q_EMIT rangeChosen(xAt(from), xAt(to));
}

void PlotView::mouseDoubleClickEvent(QMouseEvent*) {
    pressedAt_.reset();
    Q_EMIT resetAsked();
}

void PlotView::wheelEvent(QWheelEvent* event) {
    const QPoint delta = event->angleDelta();
    if (event->modifiers() & Qt::ControlModifier) {
        Q_EMIT zoomed(std::pow(kWheelZoom, delta.y()), xAt(event->position().x()));
    } else if (event->modifiers() & Qt::ShiftModifier ||
               std::abs(delta.x()) > std::abs(delta.y())) {
        const int along = delta.x() != 0 ? delta.x() : delta.y();
        Q_EMIT panned(-along / 1200.0);
    } else {
        event->ignore();  // a plain wheel scrolls the page
    }
}

void PlotView::leaveEvent(QEvent* event) {
    QChartView::leaveEvent(event);
    Q_EMIT left();
}

void PlotView::keyPressEvent(QKeyEvent* event) {
    const bool shift = (event->modifiers() & Qt::ShiftModifier) != 0;
    const double middle = cursorX_.value_or((content_.x.from + content_.x.to) / 2);
    switch (event->key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            return Q_EMIT zoomed(kKeyZoom, middle);
        case Qt::Key_Minus:
            return Q_EMIT zoomed(1 / kKeyZoom, middle);
        case Qt::Key_0:
        case Qt::Key_Home:
        case Qt::Key_Escape:
            return Q_EMIT resetAsked();
        case Qt::Key_Left:
            return shift ? Q_EMIT panned(-0.1) : Q_EMIT cursorStepped(-1);
        case Qt::Key_Right:
            return shift ? Q_EMIT panned(0.1) : Q_EMIT cursorStepped(1);
        default:
            event->ignore();
    }
}

void PlotView::focusInEvent(QFocusEvent* event) {
    QChartView::focusInEvent(event);
    viewport()->update();
}

void PlotView::focusOutEvent(QFocusEvent* event) {
    QChartView::focusOutEvent(event);
    Q_EMIT left();
    viewport()->update();
}

}  // namespace ui
