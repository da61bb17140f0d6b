// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/cell_map.h"

#include <QImage>
#include <QStringList>

#include <vector>

namespace ui {

/// Where a load stands on the colour scale: 0 at 0, the middle at 1 (even), 1 at `top` and above.
double loadPosition(double load, double top);
/// The scale's upper end for loads up to `highest`: 2, 4, 8, ...
double loadTop(double highest);
/// Colour of a load; invalid for NaN.
QColor loadColor(double load, double top);

/// Layers (rows) times experts (columns): the load of every expert as one image of one pixel a
/// cell, enlarged. A cell without any load is marked, not only coloured. Layers of more than one
/// stack ("encoder.3", "decoder.3") stand in groups, each under its stack's name, with room
/// between them. Clicking or Enter chooses the row.
class HeatMap : public CellMap {
    Q_OBJECT

  public:
    explicit HeatMap(const QString& title, QWidget* parent = nullptr);

    /// One row a layer; rows may have different lengths.
    void setLoads(const QStringList& layers, std::vector<std::vector<double>> loads);
    /// The scale only grows within a run, so that colours keep their meaning.
    void resetScale();
    double scaleTop() const noexcept { return top_; }

    /// One pixel a cell, transparent where a layer has fewer experts than the widest.
    QImage image() const;
    /// "encoder.6, expert 3: load 1.25".
    QString cellText(const Cell& cell) const override;
    std::optional<Cell> cellAt(QPoint position) const override;
    const QString& layerAt(int row) const { return layers_[row]; }
    /// Where a cell is drawn.
    QRectF cellRect(const Cell& cell) const;
    /// The stacks that the rows are grouped by, for people; empty while there is but one.
    QStringList groups() const;

    QSize paperSize() const override;
    /// Tall enough that the rows of several stacks stay apart.
    QSize minimumSizeHint() const override;
    QByteArray csv() const override;
    bool isEmpty() const override { return layers_.isEmpty(); }

  Q_SIGNALS:
    void rowChosen(int row);

  protected:
    Range range() const override;
    void choose(const Cell& cell) override { Q_EMIT rowChosen(cell.row); }
    void drawCurrent(QPainter& painter, const QRect& body) override;
    void renderBody(QPainter& painter, const QRect& body) override;

  private:
    /// Rows of one stack.
    struct Group {
        QString stack;
        int firstRow = 0, rows = 0;
    };
    struct Geometry {
        std::vector<QRectF> maps;  ///< one a group
        int columns = 0;
        double rowHeight = 0;
        double left() const { return maps.front().left(); }
        double right() const { return maps.front().right(); }
        double top() const { return maps.front().top(); }
        double bottom() const { return maps.back().bottom(); }
    };
    static double headingHeight();
    Geometry geometryIn(const QRect& body) const;
    QRectF cellIn(const Geometry& geometry, const Cell& cell) const;
    QString rowName(int row) const;
    int columns() const;
    void drawGroup(QPainter& painter, const Geometry& geometry, std::size_t index) const;
    void drawMarks(QPainter& painter, const Geometry& geometry) const;
    void drawRowNames(QPainter& painter, const Geometry& geometry) const;
    void drawExpertNumbers(QPainter& painter, const Geometry& geometry) const;
    void drawScale(QPainter& painter, const QRect& body, const Geometry& geometry) const;

    QStringList layers_;
    std::vector<Group> groups_;
    std::vector<std::vector<double>> loads_;
    double top_ = 2;
};

}  // namespace ui
