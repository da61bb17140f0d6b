// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/report.h"

#include <QWidget>

#include <vector>

class QVBoxLayout;

namespace ui {

/// The plan's warnings as short notes one under another.
class WarningList : public QWidget {
    Q_OBJECT

  public:
    explicit WarningList(QWidget* parent);
    void setWarnings(const std::vector<core::PlanWarning>& warnings);

  private:
    QVBoxLayout* column_;
};

}  // namespace ui
