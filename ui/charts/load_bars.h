// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/chart_widget.h"
#include "ui/charts/ticks.h"

#include <optional>
#include <vector>

namespace ui {

/// The load of every expert of one layer as bars, with a line at 1 (even). An expert without a
/// token has a mark of its own; arrow keys and pointer read single bars.
class LoadBars : public ChartWidget {
    Q_OBJECT

  public:
    explicit LoadBars(const QString& title, QWidget* parent = nullptr);

    void setLoads(const QString& layer, std::vector<double> loads);
    void resetScale();
    const std::vector<double>& loads() const noexcept { return loads_; }
    const QString& layer() const noexcept { return layer_; }
    /// "expert 3: load 1.25".
    QString barText(int expert) const;
    std::optional<int> barAt(QPoint position) const;

    QByteArray csv() const override;
    bool isEmpty() const override { return loads_.empty(); }

  protected:
    std::vector<LegendEntry> legend() const override;
    void renderBody(QPainter& painter, const QRect& body) override;
    void fillMenu(QMenu&) override {}
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    QRectF areaIn(const QRect& body) const;
    Axis axis() const;
    QRectF barRect(const QRectF& area, const Axis& axis, int expert) const;
    void setBar(std::optional<int> bar);

    QString layer_;
    std::vector<double> loads_;
    double top_ = 2;
    std::optional<int> bar_;
};

}  // namespace ui
