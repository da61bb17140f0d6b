// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/legend.h"

#include "ui/theme/theme.h"

#include <QFontMetrics>
#include <QPainter>

#include <algorithm>
#include <utility>

namespace ui {
namespace {

constexpr int kSwatch = 8;
constexpr int kSwatchGap = 6;
constexpr int kBetween = space::kM;

int widthOf(const LegendEntry& entry, const QFontMetrics& metrics) {
    const int value =
        entry.value.isEmpty() ? 0 : space::kXs + metrics.horizontalAdvance(entry.value);
    return kSwatch + kSwatchGap + metrics.horizontalAdvance(entry.name) + value;
}

bool fits(const std::vector<LegendEntry>& entries, const QFontMetrics& metrics, int width) {
    int needed = -kBetween;
    for (const LegendEntry& entry : entries) needed += widthOf(entry, metrics) + kBetween;
    return needed <= width;
}

}  // namespace

std::vector<PlacedEntry> placeLegend(std::vector<LegendEntry> entries, const QFontMetrics& metrics,
                                     int width) {
    if (!fits(entries, metrics, width)) {
        for (LegendEntry& entry : entries) entry.value.clear();
    }
    if (!fits(entries, metrics, width)) {
        const int count = static_cast<int>(entries.size());
        const int share = (width + kBetween) / count - kBetween - kSwatch - kSwatchGap;
        for (LegendEntry& entry : entries) {
            entry.name = metrics.elidedText(entry.name, Qt::ElideMiddle, std::max(share, 0));
        }
    }
    std::vector<PlacedEntry> places;
    int left = 0;
    for (LegendEntry& entry : entries) {
        const int taken = widthOf(entry, metrics) + kBetween;
        places.push_back({std::move(entry), left});
        left += taken;
    }
    return places;
}

void drawLegend(QPainter& painter, const std::vector<LegendEntry>& entries, const QRect& row) {
    const Tokens& t = tokens();
    const QFont font = textFont(TextRole::Caption);
    const QFontMetrics metrics(font);
    painter.setFont(font);
    for (const auto& [entry, left] : placeLegend(entries, metrics, row.width())) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(entry.color);
        const QRectF swatch(row.left() + left, row.top() + (row.height() - kSwatch) / 2.0, kSwatch,
                            kSwatch);
        painter.drawRoundedRect(swatch, 2, 2);
        const int name = row.left() + left + kSwatch + kSwatchGap;
        const int value = name + metrics.horizontalAdvance(entry.name) + space::kXs;
        painter.setPen(t.textMuted);
        painter.drawText(QRect(name, row.top(), row.right() - name + 2, row.height()),
                         Qt::AlignLeft | Qt::AlignVCenter, entry.name);
        painter.setPen(t.text);
        painter.drawText(QRect(value, row.top(), row.right() - value + 2, row.height()),
                         Qt::AlignLeft | Qt::AlignVCenter, entry.value);
    }
}

}  // namespace ui
