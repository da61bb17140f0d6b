// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_painting.h"

#include "ui/theme/theme.h"

#include <QFontMetricsF>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr int kLabelGap = 6;
constexpr int kSwatch = 8;
constexpr int kSwatchColumn = 14;

}  // namespace

double crisp(double value) { return std::floor(value) + 0.5; }

int yLabelWidth() {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    return metrics.horizontalAdvance(QStringLiteral("0.0000")) + kLabelGap;
}

int xLabelHeight() { return QFontMetrics(textFont(TextRole::Caption)).height() + space::kXs; }

void drawYAxis(QPainter& painter, const QRectF& area, const Axis& axis) {
    const Tokens& t = tokens();
    const QFont font = textFont(TextRole::Caption);
    const int height = QFontMetrics(font).height();
    painter.setFont(font);
    for (const Tick& tick : axis.ticks) {
        const double y = area.bottom() - axis.position(tick.value) * area.height();
        painter.setPen(QPen(t.grid, 1));
        painter.drawLine(QPointF(area.left(), crisp(y)), QPointF(area.right(), crisp(y)));
        painter.setPen(t.textMuted);
        painter.drawText(QRectF(area.left() - kLabelGap - 200, y - height / 2.0, 200, height),
                         Qt::AlignRight | Qt::AlignVCenter, tick.label);
    }
}

void drawXAxis(QPainter& painter, const QRectF& area, const Axis& axis, const QString& name) {
    const Tokens& t = tokens();
    const QFont font = textFont(TextRole::Caption);
    const QFontMetrics metrics(font);
    painter.setFont(font);
    painter.setPen(t.textMuted);
    const double top = area.bottom() + space::kXs;
    double taken = -1e9;
    for (const Tick& tick : axis.ticks) {
        const double x = area.left() + axis.position(tick.value) * area.width();
        const double width = metrics.horizontalAdvance(tick.label) + 2;
        const double begin = std::min(x - width / 2, area.right() + space::kS - width);
        if (begin < taken) continue;
        painter.drawText(QRectF(begin, top, width, metrics.height()), Qt::AlignCenter, tick.label);
        taken = begin + width + space::kS;
    }
    const double corner = area.left() - 2 * kLabelGap;
    painter.drawText(QRectF(corner - 200, top, 200, metrics.height()),
                     Qt::AlignRight | Qt::AlignVCenter, name);
    painter.setPen(QPen(t.borderStrong, 1));
    painter.drawLine(QPointF(area.left(), crisp(area.bottom())),
                     QPointF(area.right(), crisp(area.bottom())));
}

void drawReadoutBox(QPainter& painter, const QRectF& bounds, double x, const QString& head,
                    const std::vector<ReadoutLine>& lines) {
    const Tokens& t = tokens();
    const QFont font = textFont(TextRole::Caption);
    const QFontMetrics metrics(font);
    const bool swatches = std::any_of(lines.begin(), lines.end(),
                                      [](const ReadoutLine& line) { return line.color.isValid(); });
    const int indent = swatches ? kSwatchColumn : 0;
    int names = 0;
    int values = 0;
    for (const ReadoutLine& line : lines) {
        names = std::max(names, metrics.horizontalAdvance(line.name));
        values = std::max(values, metrics.horizontalAdvance(line.value));
    }
    const int height = metrics.height() + 2;
    const int inner =
        std::max(metrics.horizontalAdvance(head), indent + names + space::kM + values) + 2;
    const QSizeF size(inner + 2 * space::kS, height * (static_cast<int>(lines.size()) + 1) + 10);
    const bool flip = x + 10 + size.width() > bounds.right();
    const double left = std::clamp(flip ? x - 10 - size.width() : x + 10, bounds.left(),
                                   std::max(bounds.left(), bounds.right() - size.width()));
    const QRectF box(QPointF(std::round(left), bounds.top() + 2), size);
    painter.setPen(t.borderStrong);
    painter.setBrush(t.raised);
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), radius::kS, radius::kS);
    painter.setFont(font);
    QRectF row(box.left() + space::kS, box.top() + 5, inner, height);
    painter.setPen(t.textMuted);
    painter.drawText(row, Qt::AlignLeft | Qt::AlignVCenter, head);
    for (const ReadoutLine& line : lines) {
        row.translate(0, height);
        if (line.color.isValid()) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(line.color);
            const QRectF swatch(row.left(), row.center().y() - kSwatch / 2.0, kSwatch, kSwatch);
            painter.drawRoundedRect(swatch, 2, 2);
        }
        painter.setPen(t.textMuted);
        painter.drawText(row.adjusted(indent, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                         line.name);
        painter.setPen(t.text);
        painter.drawText(row, Qt::AlignRight | Qt::AlignVCenter, line.value);
    }
}

void drawFocusRing(QPainter& painter, const QRectF& around) {
    painter.setPen(QPen(tokens().accent, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(around.adjusted(1, 1, -1, -1), radius::kS, radius::kS);
}

}  // namespace ui
