// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/cell_map.h"

#include "ui/charts/chart_painting.h"
#include "ui/theme/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace ui {

QColor rampColor(double share) {
    const auto& ramp = tokens().ramp;
    const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(ramp.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), ramp.size() - 2);
    const auto mix = static_cast<float>(at - static_cast<double>(below));
    const QColor& a = ramp[below];
    const QColor& b = ramp[below + 1];
    return QColor::fromRgbF(a.redF() + mix * (b.redF() - a.redF()),
                            a.greenF() + mix * (b.greenF() - a.greenF()),
                            a.blueF() + mix * (b.blueF() - a.blueF()));
}

void drawRampStrip(QPainter& painter, const QRectF& strip) {
    const Tokens& t = tokens();
    QLinearGradient gradient(strip.bottomLeft(), strip.topLeft());
    for (std::size_t i = 0; i < t.ramp.size(); ++i)
        gradient.setColorAt(static_cast<double>(i) / static_cast<double>(t.ramp.size() - 1),
                            t.ramp[i]);
    painter.setPen(QPen(t.border, 1));
    painter.setBrush(gradient);
    painter.drawRoundedRect(strip.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
}

CellMap::CellMap(const QString& title, QWidget* parent) : ChartWidget(title, parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
}

void CellMap::setCell(std::optional<Cell> cell) {
    if (cell == cell_) return;
    cell_ = cell;
    if (cell_) setAccessibleDescription(cellText(*cell_));
    cellChanged();
    update();
}

void CellMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    drawCard(painter, size());
    if (isEmpty()) return;
    const QRect body = bodyRect(size());
    renderBody(painter, body);
    if (cell_) drawCurrent(painter, body);
    if (hasFocus()) drawFocusRing(painter, QRectF(body).adjusted(-6, -6, 6, 6));
}

void CellMap::mouseMoveEvent(QMouseEvent* event) { setCell(cellAt(event->pos())); }

void CellMap::mousePressEvent(QMouseEvent* event) {
    if (const auto cell = cellAt(event->pos())) choose(*cell);
}

void CellMap::leaveEvent(QEvent* event) {
    ChartWidget::leaveEvent(event);
    if (!hasFocus()) setCell(std::nullopt);
}

void CellMap::keyPressEvent(QKeyEvent* event) {
    if (isEmpty()) return event->ignore();
    Cell cell = cell_.value_or(Cell{});
    switch (event->key()) {
        case Qt::Key_Left:
            --cell.column;
            break;
        case Qt::Key_Right:
            ++cell.column;
            break;
        case Qt::Key_Up:
            --cell.row;
            break;
        case Qt::Key_Down:
            ++cell.row;
            break;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            return choose(cell);
        default:
            return event->ignore();
    }
    const Range within = range();
    setCell(Cell{std::clamp(cell.row, 0, within.rows - 1),
                 std::clamp(cell.column, within.firstColumn, within.lastColumn)});
}

void CellMap::focusInEvent(QFocusEvent* event) {
    ChartWidget::focusInEvent(event);
    update();
}

void CellMap::focusOutEvent(QFocusEvent* event) {
    ChartWidget::focusOutEvent(event);
    setCell(std::nullopt);
    update();
}

}  // namespace ui
