// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_widget.h"

#include <QImage>
#include <QStringList>

#include <optional>
#include <vector>

namespace ui {

/// Where a load stands on the colour scale: 0 at 0, the middle at 1 (even), 1 at `top` and above.
double loadPosition(double load, double top);
/// The scale's upper end for loads up to `highest`: 2, 4, 8, ...
double loadTop(double highest);
/// Colour of a load; invalid for NaN.
QColor loadColor(double load, double top);

/// Layers (rows) times experts (columns): the load of every expert as one image of one pixel a
/// cell, enlarged. Pointer and arrow keys read single cells; a cell without any load is marked, not
/// only coloured. Clicking or Enter chooses the row.
class HeatMap : public ChartWidget {
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
    QString cellText(int row, int column) const;
    struct Cell {
        int row = 0, column = 0;
        bool operator==(const Cell&) const = default;
    };
    std::optional<Cell> cellAt(QPoint position) const;

    QSize paperSize() const override;
    QByteArray csv() const override;
    bool isEmpty() const override { return layers_.isEmpty(); }

  Q_SIGNALS:
    void rowChosen(int row);

  protected:
    std::vector<LegendEntry> legend() const override { return {}; }
    void renderBody(QPainter& painter, const QRect& body) override;
    void fillMenu(QMenu&) override {}
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    struct Geometry {
        QRectF map;
        int rows = 0, columns = 0;
        QRectF cell(int row, int column) const;
    };
    Geometry geometryIn(const QRect& body) const;
    int columns() const;
    void drawMap(QPainter& painter, const Geometry& geometry) const;
    void drawLabels(QPainter& painter, const Geometry& geometry) const;
    void drawScale(QPainter& painter, const QRect& body, const QRectF& map) const;
    void setCell(std::optional<Cell> cell);

    QStringList layers_;
    std::vector<std::vector<double>> loads_;
    double top_ = 2;
    std::optional<Cell> cell_;
};

}  // namespace ui
