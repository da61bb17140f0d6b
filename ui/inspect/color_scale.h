// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRgb>
#include <QWidget>

#include <array>

namespace ui {

/// The present theme's colours of values between -top and top; what lies beyond has the ends'.
class DivergingColors {
  public:
    explicit DivergingColors(double top);
    /// `value` is not NaN.
    QRgb of(float value) const noexcept;

  private:
    static constexpr int kHalf = 255;
    double scale_;
    std::array<QRgb, 2 * kHalf + 1> table_;
};

/// The scale beside a picture: a strip from -top to top, and what the signal colour means where it
/// occurs.
class ColorScale : public QWidget {
    Q_OBJECT

  public:
    explicit ColorScale(QWidget* parent);
    void setTop(double top);
    double top() const { return top_; }
    void setSignalled(bool signalled);
    QSize sizeHint() const override { return {84, 200}; }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    double top_ = 1;
    bool signalled_ = false;
};

}  // namespace ui
