// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_widget.h"

#include <optional>

namespace ui {

/// The colour of the theme's sequential scale at a share in [0, 1].
QColor rampColor(double share);
/// The whole scale as an upright strip, its low end below.
void drawRampStrip(QPainter& painter, const QRectF& strip);
/// The strip's width and the room between it and the words beside it.
inline constexpr int kRampStripWidth = 10;
inline constexpr int kRampStripGap = 6;

/// A chart of cells in rows and columns, of which one can be read: by the pointer, by arrow keys
/// once it has the focus, by a screen reader.
class CellMap : public ChartWidget {
    Q_OBJECT

  public:
    struct Cell {
        int row = 0;
        int column = 0;
        bool operator==(const Cell&) const = default;
    };
    /// One sentence about a cell.
    virtual QString cellText(const Cell& cell) const = 0;
    virtual std::optional<Cell> cellAt(QPoint position) const = 0;
    /// The cell that is being read.
    const std::optional<Cell>& cell() const noexcept { return cell_; }

  protected:
    struct Range {
        int rows = 0, firstColumn = 0, lastColumn = 0;
    };
    CellMap(const QString& title, QWidget* parent);

    virtual Range range() const = 0;
    /// Draws what marks the cell that is being read.
    virtual void drawCurrent(QPainter& painter, const QRect& body) = 0;
    virtual void cellChanged() {}
    /// Enter on a cell, or a click.
    virtual void choose(const Cell&) {}
    void setCell(std::optional<Cell> cell);

    std::vector<LegendEntry> legend() const override { return {}; }
    void fillMenu(QMenu&) override {}
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    std::optional<Cell> cell_;
};

}  // namespace ui
