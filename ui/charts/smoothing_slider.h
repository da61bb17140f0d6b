// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QSlider;

namespace ui {

/// How much lines are averaged; every one in the window says and remembers the same.
class SmoothingSlider : public QWidget {
    Q_OBJECT

  public:
    explicit SmoothingSlider(QWidget* parent = nullptr);

    /// For LineChart::setSmoothing, in [0, 1).
    double weight() const;

  Q_SIGNALS:
    void changed(double weight);

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    QSlider* slider_;
};

}  // namespace ui
