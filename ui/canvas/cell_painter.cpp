// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/cell_painter.h"

#include "ui/canvas/canvas_layout.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kPadding = 12;
constexpr double kCompactPadding = 6;
constexpr double kTilesWidth = 116;
constexpr double kCompactTilesWidth = 51;
constexpr double kTileGap = 2;
constexpr double kLargestTile = 10;
constexpr double kSmallestTile = 4;

QColor mix(const QColor& a, const QColor& b, double amount) {
    const auto part = [amount](float x, float y) {
        return static_cast<float>(x + (y - x) * static_cast<float>(amount));
    };
    return QColor::fromRgbF(part(a.redF(), b.redF()), part(a.greenF(), b.greenF()),
                            part(a.blueF(), b.blueF()), part(a.alphaF(), b.alphaF()));
}

/// Moves a pen's line onto the pixel grid.
QRectF crisp(const QRectF& rect, double pen) {
    return rect.adjusted(pen / 2, pen / 2, -pen / 2, -pen / 2);
}

void paintFrame(QPainter& painter, const QRectF& rect, const CellLook& look, const Tokens& t) {
    QColor fill = look.hovered ? t.hover : t.surface;
    QColor line = look.hovered ? t.borderStrong : t.border;
    if (look.moe > 0) {
        fill = mix(fill, t.accentSoft, look.moe);
        line = mix(line, look.hovered ? t.accent : t.accentBorder, look.moe);
    }
    const double width = look.selected ? 2 : 1;
    painter.setPen(QPen(look.selected ? t.accent : line, width));
    painter.setBrush(fill);
    const double corner = std::min(8.0, rect.width() / 3);
    painter.drawRoundedRect(crisp(rect, width), corner, corner);
    if (look.focused) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(t.accent, 1.5));
        painter.drawRoundedRect(rect.adjusted(-3, -3, 3, 3), 11, 11);
    }
}

/// A bell curve: the sign of a normalisation.
void paintBell(QPainter& painter, const QRectF& rect, const Tokens& t) {
    QPainterPath path;
    constexpr int kSteps = 24;
    const double width = std::min(16.0, rect.width() - 6);
    const double height = width * 0.75;
    for (int i = 0; i <= kSteps; ++i) {
        const double u = 2.0 * i / kSteps - 1;
        const QPointF point(rect.center().x() + u * width / 2,
                            rect.center().y() + height / 2 - height * std::exp(-5 * u * u));
        i == 0 ? path.moveTo(point) : path.lineTo(point);
    }
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(t.textFaint, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPath(path);
}

/// The text, or the shorter one where there is one and the text is too long.
QString fitted(const QString& text, const QString& shorter, const QFontMetricsF& metrics,
               double width) {
    const bool fits = shorter.isEmpty() || metrics.horizontalAdvance(text) <= width;
    return metrics.elidedText(fits ? text : shorter, Qt::ElideRight, width);
}

void paintText(QPainter& painter, const QRectF& area, const CellLook& look, const Tokens& t) {
    const bool strong = look.moe > 0.5 && !isCompact(area);
    const QFont titleFont = textFont(strong ? TextRole::Strong : TextRole::Body);
    const QFont detailFont = textFont(TextRole::Caption);
    const QFontMetricsF titleMetrics(titleFont);
    const QFontMetricsF detailMetrics(detailFont);
    const bool twoLines = !look.text.detail.isEmpty();
    const double height = titleMetrics.height() + (twoLines ? detailMetrics.height() : 0);
    double top = area.center().y() - height / 2;
    painter.setFont(titleFont);
    painter.setPen(look.moe > 0.5 ? t.accentText : t.text);
    painter.drawText(QRectF(area.left(), top, area.width(), titleMetrics.height()),
                     Qt::AlignLeft | Qt::AlignVCenter,
                     fitted(look.text.title, look.text.shortTitle, titleMetrics, area.width()));
    if (!twoLines) return;
    top += titleMetrics.height();
    painter.setFont(detailFont);
    painter.setPen(t.textMuted);
    painter.drawText(QRectF(area.left(), top, area.width(), detailMetrics.height()),
                     Qt::AlignLeft | Qt::AlignVCenter,
                     fitted(look.text.detail, look.text.shortDetail, detailMetrics, area.width()));
}

void paintTiles(QPainter& painter, const QRectF& area, const CellLook& look, const Tokens& t) {
    QColor color = t.accent;
    color.setAlphaF(static_cast<float>(look.moe));
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    for (const QRectF& tile : expertTiles(area, look.experts)) {
        const double shrink = (1 - look.moe) * tile.width() / 3;
        painter.drawRoundedRect(tile.adjusted(shrink, shrink, -shrink, -shrink), 2, 2);
    }
}

void paintSwitch(QPainter& painter, const QRectF& cell, const CellLook& look, const Tokens& t) {
    const QRectF area = switchArea(cell);
    const QPointF center(area.center().x() - 2, area.center().y());
    if (look.locked) {
        const QRectF box(center.x() - 8, center.y() - 8, 16, 16);
        icon(QStringLiteral("lock"), IconTone::Faint).paint(&painter, box.toRect());
        return;
    }
    const QRectF track(center.x() - 13, center.y() - 7.5, 26, 15);
    painter.setPen(QPen(mix(t.borderStrong, t.accent, look.moe), 1));
    painter.setBrush(mix(t.sunken, t.accent, look.moe));
    painter.drawRoundedRect(crisp(track, 1), 7, 7);
    const double travel = track.width() - track.height();
    const QRectF knob(track.left() + 2.5 + look.moe * travel, track.top() + 2.5, 10, 10);
    painter.setPen(Qt::NoPen);
    painter.setBrush(mix(t.textFaint, t.onAccent, look.moe));
    painter.drawEllipse(knob);
}

}  // namespace

std::vector<QRectF> expertTiles(const QRectF& area, std::int64_t experts) {
    if (experts <= 0) return {};
    double size = kLargestTile;
    std::int64_t columns = 1;
    std::int64_t rows = 1;
    for (;; size -= 1) {
        columns = static_cast<std::int64_t>((area.width() + kTileGap) / (size + kTileGap));
        rows = static_cast<std::int64_t>((area.height() + kTileGap) / (size + kTileGap));
        if (columns * rows >= experts || size <= kSmallestTile) break;
    }
    const std::int64_t shown = std::min(experts, columns * rows);
    const std::int64_t usedRows = (shown + columns - 1) / columns;
    const std::int64_t usedColumns = (shown + usedRows - 1) / usedRows;
    const double step = size + kTileGap;
    const double left = area.right() - (static_cast<double>(usedColumns) * step - kTileGap);
    const double top = area.center().y() - (static_cast<double>(usedRows) * step - kTileGap) / 2;
    std::vector<QRectF> tiles;
    for (std::int64_t i = 0; i < shown; ++i) {
        const std::int64_t row = i / usedColumns;
        tiles.emplace_back(left + static_cast<double>(i % usedColumns) * step,
                           top + static_cast<double>(row) * step, size, size);
    }
    return tiles;
}

void paintCell(QPainter& painter, const QRectF& rect, const CellLook& look, const Tokens& t) {
    paintFrame(painter, rect, look, t);
    if (look.part == Part::AttentionNorm || look.part == Part::CrossNorm ||
        look.part == Part::MlpNorm) {
        paintBell(painter, rect, t);
        return;
    }
    const bool compact = isCompact(rect);
    const double padding = compact ? kCompactPadding : kPadding;
    QRectF text = rect.adjusted(padding, 0, -padding, 0);
    if (look.part == Part::Mlp) {
        text.setRight(switchArea(rect).left());
        if (look.moe > 0) {
            const double width = compact ? kCompactTilesWidth : kTilesWidth;
            const double above = compact ? 5 : 8;
            const QRectF tiles(text.right() - width, rect.top() + above, width - above + 2,
                               rect.height() - 2 * above);
            paintTiles(painter, tiles, look, t);
            text.setRight(tiles.left() - (compact ? 4 : 8));
        }
        paintSwitch(painter, rect, look, t);
    }
    if (look.warning) {
        const QRectF box(text.right() - 16, rect.center().y() - 8, 16, 16);
        icon(QStringLiteral("warning"), IconTone::Warning).paint(&painter, box.toRect());
        text.setRight(box.left() - 4);
    }
    paintText(painter, text, look, t);
}

}  // namespace ui
