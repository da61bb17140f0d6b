// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_painting.h"
#include "ui/charts/heat_map.h"
#include "ui/theme/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr int kScaleWidth = 10;
constexpr int kMaxCellHeight = 56;
constexpr int kMinCellForGap = 7;

int scaleColumn() {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    return space::kM + kScaleWidth + 6 + metrics.horizontalAdvance(QStringLiteral("≥ 00"));
}

}  // namespace

QRectF HeatMap::Geometry::cell(int row, int column) const {
    const auto x = [&](int i) { return map.left() + std::round(map.width() * i / columns); };
    const auto y = [&](int i) { return map.top() + std::round(map.height() * i / rows); };
    return {QPointF(x(column), y(row)), QPointF(x(column + 1), y(row + 1))};
}

HeatMap::Geometry HeatMap::geometryIn(const QRect& body) const {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    int names = metrics.horizontalAdvance(tr("expert"));
    for (const QString& name : layers_) names = std::max(names, metrics.horizontalAdvance(name));
    names = std::min(names + 2, body.width() / 3) + space::kS;
    Geometry g;
    g.rows = static_cast<int>(layers_.size());
    g.columns = columns();
    const int height = std::min(kMaxCellHeight * g.rows, body.height() - xLabelHeight());
    g.map = QRectF(body.left() + names, body.top(), body.width() - names - scaleColumn(), height);
    return g;
}

QSize HeatMap::paperSize() const {
    const QSize usual = ChartWidget::paperSize();
    const int around = usual.height() - bodyRect(usual).height() + xLabelHeight();
    return {usual.width(),
            around + kMaxCellHeight * static_cast<int>(std::max<qsizetype>(1, layers_.size()))};
}

void HeatMap::renderBody(QPainter& painter, const QRect& body) {
    const Geometry g = geometryIn(body);
    drawMap(painter, g);
    drawScale(painter, body, g.map);
}

void HeatMap::drawMap(QPainter& painter, const Geometry& g) const {
    const Tokens& t = tokens();
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(g.map, image());
    const double cellWidth = g.map.width() / g.columns;
    const double cellHeight = g.map.height() / g.rows;
    if (cellWidth >= kMinCellForGap && cellHeight >= kMinCellForGap) {
        for (int column = 1; column < g.columns; ++column) {
            const double x = g.cell(0, column).left() - 1;
            painter.fillRect(QRectF(x, g.map.top(), 2, g.map.height()), t.surface);
        }
        for (int row = 1; row < g.rows; ++row) {
            const double y = g.cell(row, 0).top() - 1;
            painter.fillRect(QRectF(g.map.left(), y, g.map.width(), 2), t.surface);
        }
    }
    const double mark = std::clamp(std::min(cellWidth, cellHeight) / 5, 0.75, 3.5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.danger);
    for (int row = 0; row < g.rows; ++row) {
        const std::vector<double>& loads = loads_[static_cast<std::size_t>(row)];
        for (std::size_t column = 0; column < loads.size(); ++column) {
            if (loads[column] != 0) continue;
            painter.drawEllipse(g.cell(row, static_cast<int>(column)).center(), mark, mark);
        }
    }
    drawLabels(painter, g);
}

void HeatMap::drawLabels(QPainter& painter, const Geometry& g) const {
    const QFont font = textFont(TextRole::Caption);
    const QFontMetrics metrics(font);
    const int height = metrics.height();
    painter.setFont(font);
    painter.setPen(tokens().textMuted);
    const double right = g.map.left() - space::kS;
    const int width = static_cast<int>(right) - space::kM;
    double taken = -1e9;
    for (int row = 0; row < g.rows; ++row) {
        const double top = g.cell(row, 0).center().y() - height / 2.0;
        if (top < taken) continue;
        taken = top + height;
        painter.drawText(QRectF(right - width, top, width, height),
                         Qt::AlignRight | Qt::AlignVCenter,
                         metrics.elidedText(layers_[row], Qt::ElideMiddle, width));
    }
    const double below = g.map.bottom() + space::kXs;
    int stride = 1;
    while (stride * g.map.width() / g.columns < 28) stride *= 2;
    for (int column = 0; column < g.columns; column += stride) {
        painter.drawText(QRectF(g.cell(0, column).center().x() - 30, below, 60, height),
                         Qt::AlignCenter, QString::number(column));
    }
    painter.drawText(QRectF(right - width, below, width, height), Qt::AlignRight | Qt::AlignVCenter,
                     tr("expert"));
}

void HeatMap::drawScale(QPainter& painter, const QRect& body, const QRectF& map) const {
    const Tokens& t = tokens();
    const QFont font = textFont(TextRole::Caption);
    const int text = QFontMetrics(font).height();
    const double height = std::max<double>(3 * text, map.height());
    const QRectF strip(body.right() - scaleColumn() + space::kM, map.top(), kScaleWidth, height);
    QLinearGradient gradient(strip.bottomLeft(), strip.topLeft());
    for (std::size_t i = 0; i < t.ramp.size(); ++i) {
        gradient.setColorAt(static_cast<double>(i) / static_cast<double>(t.ramp.size() - 1),
                            t.ramp[i]);
    }
    painter.setPen(QPen(t.border, 1));
    painter.setBrush(gradient);
    painter.drawRoundedRect(strip.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
    painter.setFont(font);
    painter.setPen(t.textMuted);
    const auto label = [&](double load, const QString& words) {
        const double y = strip.bottom() - loadPosition(load, top_) * strip.height();
        const double top = std::clamp(y - text / 2.0, strip.top(), strip.bottom() - text);
        painter.drawText(QRectF(strip.right() + 6, top, 80, text), Qt::AlignLeft | Qt::AlignVCenter,
                         words);
    };
    label(0, QStringLiteral("0"));
    label(1, QStringLiteral("1"));
    label(top_, QStringLiteral("≥ %1").arg(QLocale().toString(top_, 'f', 0)));
}

void HeatMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    drawCard(painter, size());
    if (isEmpty()) return;
    const QRect body = bodyRect(size());
    renderBody(painter, body);
    const Tokens& t = tokens();
    if (cell_) {
        const Geometry g = geometryIn(body);
        const QRectF cell = g.cell(cell_->row, cell_->column);
        painter.setPen(QPen(t.text, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(cell);
        const std::vector<double>& loads = loads_[static_cast<std::size_t>(cell_->row)];
        const auto column = static_cast<std::size_t>(cell_->column);
        const QString value = column < loads.size() ? QLocale().toString(loads[column], 'f', 2)
                                                    : tr("no such expert");
        drawReadoutBox(painter, QRectF(body).adjusted(0, -2, 0, 0), cell.right(),
                       tr("%1 · expert %2").arg(layers_[cell_->row]).arg(cell_->column),
                       {{tr("load"), value, {}}});
    }
    if (hasFocus()) drawFocusRing(painter, QRectF(body).adjusted(-6, -6, 6, 6));
}

}  // namespace ui
