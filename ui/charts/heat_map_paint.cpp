// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_painting.h"
#include "ui/charts/heat_map.h"
#include "ui/models/cell.h"
#include "ui/theme/theme.h"

#include <QLocale>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kMaxCellHeight = 56;
constexpr double kMinCellForGap = 7;
constexpr double kGroupGap = 8;
constexpr double kLeastGroupedRow = 15;
constexpr double kMostRoomyRows = 16;

int scaleColumn() {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    return space::kM + kRampStripWidth + kRampStripGap +
           metrics.horizontalAdvance(QStringLiteral("≥ 00"));
}

}  // namespace

double HeatMap::headingHeight() { return QFontMetrics(textFont(TextRole::Caption)).height() + 2.0; }

/// Under its stack's name a row needs but its number.
QString HeatMap::rowName(int row) const {
    const QString& name = layers_[row];
    return groups_.size() > 1 ? name.mid(name.lastIndexOf(QLatin1Char('.')) + 1) : name;
}

HeatMap::Geometry HeatMap::geometryIn(const QRect& body) const {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    const int rows = static_cast<int>(layers_.size());
    const bool grouped = groups_.size() > 1;
    int names = metrics.horizontalAdvance(tr("expert"));
    for (int row = 0; row < rows; ++row)
        names = std::max(names, metrics.horizontalAdvance(rowName(row)));
    names = std::min(names + 2, body.width() / 3) + space::kS;
    const auto groups = static_cast<double>(groups_.size());
    const double headings = grouped ? groups * headingHeight() + (groups - 1) * kGroupGap : 0;
    Geometry g;
    g.columns = columns();
    g.rowHeight =
        std::clamp((body.height() - xLabelHeight() - headings) / rows, 1.0, kMaxCellHeight);
    double top = body.top();
    for (const Group& group : groups_) {
        if (grouped) top += headingHeight();
        g.maps.emplace_back(body.left() + names, top, body.width() - names - scaleColumn(),
                            g.rowHeight * group.rows);
        top = g.maps.back().bottom() + kGroupGap;
    }
    return g;
}

QRectF HeatMap::cellIn(const Geometry& g, const Cell& cell) const {
    std::size_t i = 0;
    while (cell.row >= groups_[i].firstRow + groups_[i].rows) ++i;
    const QRectF& map = g.maps[i];
    const int within = cell.row - groups_[i].firstRow;
    const auto x = [&](int column) {
        return map.left() + std::round(map.width() * column / g.columns);
    };
    const auto y = [&](int row) { return map.top() + std::round(g.rowHeight * row); };
    return {QPointF(x(cell.column), y(within)), QPointF(x(cell.column + 1), y(within + 1))};
}

QSize HeatMap::paperSize() const {
    const QSize usual = ChartWidget::paperSize();
    const double around = usual.height() - bodyRect(usual).height() + xLabelHeight() +
                          static_cast<double>(groups_.size()) * (headingHeight() + kGroupGap);
    const auto rows = static_cast<double>(std::max<qsizetype>(1, layers_.size()));
    return {usual.width(), static_cast<int>(std::ceil(around + kMaxCellHeight * rows))};
}

QSize HeatMap::minimumSizeHint() const {
    const QSize usual = ChartWidget::minimumSizeHint();
    if (groups_.size() < 2) return usual;
    const auto groups = static_cast<double>(groups_.size());
    const double body =
        groups * headingHeight() + (groups - 1) * kGroupGap + xLabelHeight() +
        kLeastGroupedRow * std::min(kMostRoomyRows, static_cast<double>(loads_.size()));
    const int around = usual.height() - bodyRect(usual).height();
    return {usual.width(), std::max(usual.height(), around + static_cast<int>(std::ceil(body)))};
}

void HeatMap::renderBody(QPainter& painter, const QRect& body) {
    const Geometry g = geometryIn(body);
    for (std::size_t i = 0; i < groups_.size(); ++i) drawGroup(painter, g, i);
    drawMarks(painter, g);
    drawRowNames(painter, g);
    drawExpertNumbers(painter, g);
    drawScale(painter, body, g);
}

void HeatMap::drawGroup(QPainter& painter, const Geometry& g, std::size_t index) const {
    const Tokens& t = tokens();
    const Group& group = groups_[index];
    const QRectF& map = g.maps[index];
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(map, image().copy(0, group.firstRow, g.columns, group.rows));
    if (groups_.size() > 1) {
        const QRectF heading(map.left(), map.top() - headingHeight(), map.width(), headingHeight());
        const QString name = stackName(group.stack.toStdString());
        const QFont font = textFont(TextRole::Caption);
        painter.setFont(font);
        painter.setPen(t.text);
        painter.drawText(heading, Qt::AlignLeft | Qt::AlignTop, name);
        const double from =
            heading.left() + QFontMetricsF(font).horizontalAdvance(name) + space::kS;
        painter.setPen(QPen(t.border, 1));
        const double y = crisp(heading.top() + QFontMetricsF(font).height() / 2);
        painter.drawLine(QPointF(from, y), QPointF(heading.right(), y));
    }
    if (map.width() / g.columns < kMinCellForGap || g.rowHeight < kMinCellForGap) return;
    for (int column = 1; column < g.columns; ++column) {
        const double x = cellIn(g, {group.firstRow, column}).left() - 1;
        painter.fillRect(QRectF(x, map.top(), 2, map.height()), t.surface);
    }
    for (int row = 1; row < group.rows; ++row) {
        const double y = cellIn(g, {group.firstRow + row, 0}).top() - 1;
        painter.fillRect(QRectF(map.left(), y, map.width(), 2), t.surface);
    }
}

/// An expert without any token.
void HeatMap::drawMarks(QPainter& painter, const Geometry& g) const {
    const double side = std::min(g.maps.front().width() / g.columns, g.rowHeight);
    const double mark = std::clamp(side / 5, 0.75, 3.5);
    painter.setPen(Qt::NoPen);
    painter.setBrush(tokens().danger);
    for (int row = 0; row < static_cast<int>(loads_.size()); ++row) {
        const std::vector<double>& loads = loads_[static_cast<std::size_t>(row)];
        for (std::size_t column = 0; column < loads.size(); ++column)
            if (loads[column] == 0)
                painter.drawEllipse(cellIn(g, {row, static_cast<int>(column)}).center(), mark,
                                    mark);
    }
}

void HeatMap::drawRowNames(QPainter& painter, const Geometry& g) const {
    const QFont font = textFont(TextRole::Caption);
    const QFontMetrics metrics(font);
    const int height = metrics.height();
    painter.setFont(font);
    painter.setPen(tokens().textMuted);
    const double right = g.left() - space::kS;
    const int width = static_cast<int>(right) - space::kM;
    double taken = -1e9;
    for (int row = 0; row < static_cast<int>(layers_.size()); ++row) {
        const double top = cellIn(g, {row, 0}).center().y() - height / 2.0;
        if (top < taken) continue;
        taken = top + height;
        painter.drawText(QRectF(right - width, top, width, height),
                         Qt::AlignRight | Qt::AlignVCenter,
                         metrics.elidedText(rowName(row), Qt::ElideMiddle, width));
    }
    painter.drawText(QRectF(right - width, g.bottom() + space::kXs, width, height),
                     Qt::AlignRight | Qt::AlignVCenter, tr("expert"));
}

void HeatMap::drawExpertNumbers(QPainter& painter, const Geometry& g) const {
    int stride = 1;
    while (stride * g.maps.front().width() / g.columns < 28) stride *= 2;
    const int height = QFontMetrics(textFont(TextRole::Caption)).height();
    for (int column = 0; column < g.columns; column += stride)
        painter.drawText(
            QRectF(cellIn(g, {0, column}).center().x() - 30, g.bottom() + space::kXs, 60, height),
            Qt::AlignCenter, QString::number(column));
}

void HeatMap::drawScale(QPainter& painter, const QRect& body, const Geometry& g) const {
    const QFont font = textFont(TextRole::Caption);
    const int text = QFontMetrics(font).height();
    const double height = std::max<double>(3 * text, g.bottom() - g.top());
    const QRectF strip(body.right() - scaleColumn() + space::kM, g.top(), kRampStripWidth, height);
    drawRampStrip(painter, strip);
    painter.setFont(font);
    painter.setPen(tokens().textMuted);
    const auto label = [&](double load, const QString& words) {
        const double y = strip.bottom() - loadPosition(load, top_) * strip.height();
        const double top = std::clamp(y - text / 2.0, strip.top(), strip.bottom() - text);
        painter.drawText(QRectF(strip.right() + kRampStripGap, top, 80, text),
                         Qt::AlignLeft | Qt::AlignVCenter, words);
    };
    label(0, QStringLiteral("0"));
    label(1, QStringLiteral("1"));
    label(top_, QStringLiteral("≥ %1").arg(QLocale().toString(top_, 'f', 0)));
}

void HeatMap::drawCurrent(QPainter& painter, const QRect& body) {
    const Cell current = *cell();
    const QRectF rect = cellIn(geometryIn(body), current);
    painter.setPen(QPen(tokens().text, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect);
    const std::vector<double>& loads = loads_[static_cast<std::size_t>(current.row)];
    const auto column = static_cast<std::size_t>(current.column);
    const QString value =
        column < loads.size() ? QLocale().toString(loads[column], 'f', 2) : tr("no such expert");
    drawReadoutBox(painter, QRectF(body).adjusted(0, -2, 0, 0), rect.right(),
                   tr("%1 · expert %2").arg(layers_[current.row]).arg(current.column),
                   {{tr("load"), value, {}}});
}

}  // namespace ui
