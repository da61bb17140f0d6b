// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/expert_cosines.h"
#include "ui/charts/cell_map.h"

#include <optional>

namespace ui {

/// The experts of one MoE block as E x E cells, coloured by the cosine of each two, and beside them
/// the cosine of each with what it came from, as column -1.
class CosineMap : public CellMap {
    Q_OBJECT

  public:
    explicit CosineMap(QWidget* parent = nullptr);
    void setCosines(const std::optional<core::ExpertCosines>& cosines);

    /// "experts 1 and 3: 0.9312".
    QString cellText(const Cell& cell) const override;
    std::optional<Cell> cellAt(QPoint position) const override;
    /// The lower end of the colours; the upper one is 1.
    double floor() const { return floor_; }

    QSize paperSize() const override { return {720, 640}; }
    QByteArray csv() const override;
    bool isEmpty() const override { return !cosines_.has_value(); }

  protected:
    Range range() const override;
    void cellChanged() override;
    void drawCurrent(QPainter& painter, const QRect& body) override;
    void renderBody(QPainter& painter, const QRect& body) override;

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

    std::optional<core::ExpertCosines> cosines_;
    double floor_ = 0;
};

}  // namespace ui
