// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/tensor_stats.h"

#include <QWidget>

#include <optional>

namespace ui {

/// The values of one tensor as 64 bars between its least and its largest finite value.
class Histogram : public QWidget {
    Q_OBJECT

  public:
    explicit Histogram(QWidget* parent);
    void setStats(const std::optional<core::TensorStats>& stats);
    QSize sizeHint() const override { return {280, 120}; }
    QSize minimumSizeHint() const override { return {120, 96}; }

  protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

  private:
    QRectF plot() const;
    int binAt(double x) const;
    std::optional<core::TensorStats> stats_;
};

}  // namespace ui
