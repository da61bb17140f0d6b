// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace ui {

/// An icon, a title and a sentence in the middle of an otherwise empty place.
class EmptyState : public QWidget {
    Q_OBJECT

  public:
    EmptyState(const QString& icon, const QString& title, const QString& text, QWidget* parent);
};

}  // namespace ui
