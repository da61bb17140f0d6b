// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme/icon.h"

#include <QWidget>

namespace ui {

/// A symbolic icon of fixed size that follows the theme; decoration, not in the tab order.
class IconLabel : public QWidget {
    Q_OBJECT

  public:
    IconLabel(const QString& name, IconTone tone, int size, QWidget* parent);
    void setIcon(const QString& name, IconTone tone);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    QIcon icon_;
};

}  // namespace ui
