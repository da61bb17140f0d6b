// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QButtonGroup;
class QStackedWidget;

namespace ui {

/// The Compare workspace's two modes under one row of buttons: runs, checkpoints.
class CompareModes : public QWidget {
    Q_OBJECT

  public:
    enum Mode { Runs, Checkpoints };
    CompareModes(QWidget* runs, QWidget* checkpoints, QWidget* parent);
    void setMode(Mode mode);
    Mode mode() const;

  Q_SIGNALS:
    void changed();

  private:
    QButtonGroup* buttons_;
    QStackedWidget* pages_;
};

}  // namespace ui
