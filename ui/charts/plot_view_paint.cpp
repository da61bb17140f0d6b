// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_painting.h"
#include "ui/charts/plot_view.h"
#include "ui/theme/theme.h"

#include <QChart>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kMarkerRadius = 2.5;
constexpr double kDotRadius = 3.5;

}  // namespace

void PlotView::drawBackground(QPainter* painter, const QRectF& exposed) {
    painter->fillRect(exposed, tokens().surface);
    drawAxes(*painter);
}

void PlotView::drawForeground(QPainter* painter, const QRectF&) {
    drawMarkers(*painter);
    const Tokens& t = tokens();
    const QRectF area = plotArea();
    if (pressedAt_ && !panning_) {
        const double from = std::clamp<double>(pressedAt_->x(), area.left(), area.right());
        const double to = std::clamp<double>(draggedTo_, area.left(), area.right());
        QColor fill = t.accent;
        fill.setAlphaF(0.14F);
        painter->fillRect(
            QRectF(std::min(from, to), area.top(), std::abs(to - from), area.height()), fill);
    }
    if (cursorX_ && !content_.curves.empty()) drawReadout(*painter);
    if (hasFocus()) drawFocusRing(*painter, rect());
}

void PlotView::drawAxes(QPainter& painter) const {
    if (content_.curves.empty()) return;
    drawYAxis(painter, plotArea(), content_.y);
    drawXAxis(painter, plotArea(), content_.x, content_.xName);
}

void PlotView::drawMarkers(QPainter& painter) const {
    painter.setPen(Qt::NoPen);
    for (const PlotCurve& curve : content_.curves) {
        painter.setBrush(curve.color);
        for (std::size_t i = 0; i < curve.lines.lines(); ++i) {
            const std::span<const Vertex> line = curve.lines.line(i);
            if (!curve.markers && line.size() > 1) continue;
            for (const Vertex& v : line) {
                painter.drawEllipse(pixelOf(v), kMarkerRadius, kMarkerRadius);
            }
        }
    }
}

void PlotView::drawReadout(QPainter& painter) const {
    const Tokens& t = tokens();
    const QRectF area = plotArea();
    const double x = pixelOf({*cursorX_, content_.y.from}).x();
    if (x < area.left() - 1 || x > area.right() + 1) return;
    painter.setPen(QPen(t.textFaint, 1));
    painter.drawLine(QPointF(crisp(x), area.top()), QPointF(crisp(x), area.bottom()));
    for (const ReadoutRow& row : rows_) {
        if (!row.at) continue;
        painter.setPen(QPen(t.surface, 1.5));
        painter.setBrush(row.color);
        painter.drawEllipse(pixelOf(*row.at), kDotRadius, kDotRadius);
    }
    if (!pinned_) return;
    std::vector<ReadoutLine> lines;
    for (const ReadoutRow& row : rows_) lines.push_back({row.name, row.value, row.color});
    drawReadoutBox(painter, QRectF(rect()), x,
                   content_.xName + QLatin1Char(' ') + valueText(*cursorX_), lines);
}

}  // namespace ui
