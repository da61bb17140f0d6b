// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QString>

#include <vector>

class QFontMetrics;
class QPainter;
class QRect;

namespace ui {

struct LegendEntry {
    QString name;
    QColor color;
    QString value;  ///< the latest one, in words; may be empty
};

/// An entry as it is drawn: `left` of its swatch, and no more words than fit.
struct PlacedEntry {
    LegendEntry entry;
    int left = 0;
};

/// Every entry in a row of `width` pixels: with its value; where that is too wide without any
/// value; where that is too wide with names shortened to equal shares.
std::vector<PlacedEntry> placeLegend(std::vector<LegendEntry> entries, const QFontMetrics& metrics,
                                     int width);

void drawLegend(QPainter& painter, const std::vector<LegendEntry>& entries, const QRect& row);

}  // namespace ui
