// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/expert_cosines.h"
#include "ui/charts/chart_widget.h"

#include <optional>

namespace ui {

/// The experts of one MoE block as E x E cells, coloured by the cosine of each two, and beside them
/// the cosine of each with what it came from. Pointer and arrow keys read single cells.
class CosineMap : public ChartWidget {
    Q_OBJECT

  public:
    explicit CosineMap(QWidget* parent = nullptr);
    void setCosines(const std::optional<core::ExpertCosines>& cosines);

    struct Cell {
        int row = 0;
        int column = 0;  ///< -1: the reference
        bool operator==(const Cell&) const = default;
    };
    /// "experts 1 and 3: 0.9312".
    QString cellText(const Cell& cell) const;
    std::optional<Cell> cellAt(QPoint position) const;
    /// The lower end of the colours; the upper one is 1.
    double floor() const { return floor_; }

    QSize paperSize() const override { return {720, 640}; }
    QByteArray csv() const override;
    bool isEmpty() const override { return !cosines_.has_value(); }

  protected:
    std::vector<LegendEntry> legend() const override { return {}; }
    void renderBody(QPainter& painter, const QRect& body) override;
    void fillMenu(QMenu&) override {}
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    struct Geometry {
        QRectF map;
        QRectF reference;  ///< empty without one
        int experts = 0;
        QRectF cell(const Cell& cell) const;
    };
    Geometry geometryIn(const QRect& body) const;
    int experts() const;
    bool hasReference() const;
    double value(const Cell& cell) const;
    QColor color(double cosine) const;
    QImage image(bool reference) const;
    void drawNumbers(QPainter& painter, const Geometry& geometry) const;
    void drawLabels(QPainter& painter, const Geometry& geometry) const;
    void drawScale(QPainter& painter, const Geometry& geometry) const;
    void setCell(std::optional<Cell> cell);

    std::optional<core::ExpertCosines> cosines_;
    double floor_ = 0;
    std::optional<Cell> cell_;
};

}  // namespace ui
