// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLabel>

namespace ui {

/// A one-line plain text label that shortens its text with an ellipsis instead of asking for room;
/// the whole text is its tool tip then.
class ElidedLabel : public QLabel {
    Q_OBJECT

  public:
    ElidedLabel(Qt::TextElideMode mode, QWidget* parent);
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

  private:
    Qt::TextElideMode mode_;
};

}  // namespace ui
