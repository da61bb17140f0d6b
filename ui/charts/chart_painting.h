// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/ticks.h"

#include <QColor>
#include <QRectF>
#include <QString>

#include <vector>

class QPainter;

namespace ui {

/// What all charts paint alike. `area` is where data are drawn; labels lie to its left and below.

/// Room that labels need beside an area: left for y labels, below for one line of x labels.
int yLabelWidth();
int xLabelHeight();

void drawYAxis(QPainter& painter, const QRectF& area, const Axis& axis);
/// Labels that would touch are left out; `name` stands in the corner below the y labels.
void drawXAxis(QPainter& painter, const QRectF& area, const Axis& axis, const QString& name);

struct ReadoutLine {
    QString name;
    QString value;
    QColor color;  ///< invalid: no swatch
};
/// A small table beside `x`, to its right or, where there is no room, to its left.
void drawReadoutBox(QPainter& painter, const QRectF& bounds, double x, const QString& head,
                    const std::vector<ReadoutLine>& lines);

void drawFocusRing(QPainter& painter, const QRectF& around);

/// The middle of the pixel, so that a line of width 1 is crisp.
double crisp(double value);

}  // namespace ui
