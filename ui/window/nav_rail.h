// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QButtonGroup;
class QVBoxLayout;

namespace ui {

/// The left rail: one button a workspace, one of them pressed in.
class NavRail : public QFrame {
    Q_OBJECT

  public:
    explicit NavRail(QWidget* parent);
    /// Returns its index.
    int addItem(const QString& icon, const QString& text);
    void setCurrent(int index);

  Q_SIGNALS:
    void selected(int index);

  private:
    QButtonGroup* group_;
    QVBoxLayout* column_;
};

}  // namespace ui
