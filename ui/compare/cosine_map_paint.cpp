// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_painting.h"
#include "ui/compare/cosine_map.h"
#include "ui/theme/theme.h"

#include <QLocale>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kMostCell = 52;
constexpr double kLeastCellForGap = 7;

double scaleColumn() {
    return space::kL + kRampStripWidth + kRampStripGap +
           QFontMetrics(textFont(TextRole::Caption)).horizontalAdvance(QStringLiteral("0.99999"));
}

QString endText(double value) { return QLocale().toString(value, 'g', 6); }

}  // namespace

QRectF CosineMap::Geometry::cell(const Cell& cell) const {
    const double side = map.height() / experts;
    const double top = map.top() + cell.row * side;
    if (cell.column < 0) return {reference.left(), top, reference.width(), side};
    return {map.left() + cell.column * side, top, side, side};
}

CosineMap::Geometry CosineMap::geometryIn(const QRect& body) const {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    const double names = metrics.horizontalAdvance(QStringLiteral("000")) + space::kS;
    const double columns = experts() + (hasReference() ? 1.0 : 0.0);
    const double gap = hasReference() ? space::kS : 0;
    const double across = (body.width() - names - gap - scaleColumn()) / columns;
    const double down =
        (body.height() - metrics.height() - space::kXs) / static_cast<double>(experts());
    const double side = std::max(1.0, std::min({across, down, kMostCell}));
    Geometry g;
    g.experts = experts();
    double left = body.left() + names;
    if (hasReference()) {
        g.reference = QRectF(left, body.top(), side, side * g.experts);
        left = g.reference.right() + gap;
    }
    g.map = QRectF(left, body.top(), side * g.experts, side * g.experts);
    return g;
}

QColor CosineMap::color(double cosine) const {
    if (std::isnan(cosine)) return tokens().signal;
    return rampColor((cosine - floor_) / (1 - floor_));
}

QImage CosineMap::image(bool reference) const {
    QImage cells(reference ? 1 : experts(), experts(), QImage::Format_RGB32);
    for (int row = 0; row < cells.height(); ++row)
        for (int column = 0; column < cells.width(); ++column)
            cells.setPixelColor(column, row, color(value({row, reference ? -1 : column})));
    return cells;
}

void CosineMap::renderBody(QPainter& painter, const QRect& body) {
    const Tokens& t = tokens();
    const Geometry g = geometryIn(body);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(g.map, image(false));
    if (hasReference()) painter.drawImage(g.reference, image(true));
    const double side = g.map.height() / g.experts;
    if (side >= kLeastCellForGap)
        for (int i = 1; i < g.experts; ++i) {
            painter.fillRect(
                QRectF(g.map.left() + i * side - 0.75, g.map.top(), 1.5, g.map.height()),
                t.surface);
            const double left = hasReference() ? g.reference.left() : g.map.left();
            painter.fillRect(QRectF(left, g.map.top() + i * side - 0.75, g.map.right() - left, 1.5),
                             t.surface);
        }
    drawNumbers(painter, g);
    drawLabels(painter, g);
    drawScale(painter, g);
}

/// As many decimals as tell the cells apart, where they have the room.
void CosineMap::drawNumbers(QPainter& painter, const Geometry& g) const {
    int decimals = 2;
    double range = 1 - floor_;
    while (range < 0.02 && decimals < 6) {
        ++decimals;
        range *= 10;
    }
    const QFont font = textFont(TextRole::Caption);
    const QString widest = QLocale().toString(0.0, 'f', decimals);
    if (QFontMetrics(font).horizontalAdvance(widest) + 6 > g.map.height() / g.experts) return;
    painter.setFont(font);
    for (int row = 0; row < g.experts; ++row)
        for (int column = hasReference() ? -1 : 0; column < g.experts; ++column) {
            const Cell cell{row, column};
            const double cosine = value(cell);
            if (std::isnan(cosine)) continue;
            const QColor under = color(cosine);
            const double light = 0.299 * under.red() + 0.587 * under.green() + 0.114 * under.blue();
            painter.setPen(light > 140 ? lightTokens().text : darkTokens().text);
            painter.drawText(g.cell(cell), Qt::AlignCenter,
                             QLocale().toString(cosine, 'f', decimals));
        }
}

void CosineMap::drawLabels(QPainter& painter, const Geometry& g) const {
    const QFont font = textFont(TextRole::Caption);
    const QFontMetrics metrics(font);
    painter.setFont(font);
    painter.setPen(tokens().textMuted);
    const double side = g.map.height() / g.experts;
    int stride = 1;
    while (stride * side < metrics.height() + 2) stride *= 2;
    const double right = (hasReference() ? g.reference.left() : g.map.left()) - space::kS;
    for (int row = 0; row < g.experts; row += stride)
        painter.drawText(QRectF(right - 60, g.cell({row, 0}).center().y() - metrics.height() / 2.0,
                                60, metrics.height()),
                         Qt::AlignRight | Qt::AlignVCenter, QString::number(row));
    int across = 1;
    while (across * side < metrics.horizontalAdvance(QStringLiteral("000")) + 4) across *= 2;
    const double below = g.map.bottom() + space::kXs;
    for (int column = 0; column < g.experts; column += across)
        painter.drawText(QRectF(g.cell({0, column}).center().x() - 30, below, 60, metrics.height()),
                         Qt::AlignCenter, QString::number(column));
    if (!hasReference()) return;
    const bool dense = cosines_->reference == core::ExpertCosines::Reference::Dense;
    painter.drawText(QRectF(g.reference.center().x() - 40, below, 80, metrics.height()),
                     Qt::AlignCenter, dense ? tr("dense") : tr("in A"));
}

void CosineMap::drawScale(QPainter& painter, const Geometry& g) const {
    const QFont font = textFont(TextRole::Caption);
    const int line = QFontMetrics(font).height();
    const QRectF strip(g.map.right() + space::kL, g.map.top(), kRampStripWidth,
                       std::max(3.0 * line, std::min(g.map.height(), 240.0)));
    drawRampStrip(painter, strip);
    painter.setFont(font);
    painter.setPen(tokens().textMuted);
    const QRectF text(strip.right() + kRampStripGap, strip.top(), 80, strip.height());
    painter.drawText(text, Qt::AlignLeft | Qt::AlignTop, QStringLiteral("1"));
    painter.drawText(text, Qt::AlignLeft | Qt::AlignBottom, endText(floor_));
}

void CosineMap::drawCurrent(QPainter& painter, const QRect& body) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(tokens().text, 2));
    painter.drawRect(geometryIn(body).cell(*cell()).adjusted(1, 1, -1, -1));
}

}  // namespace ui
