// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QLabel;
class QVBoxLayout;

namespace ui {

/// What a page shows while it has nothing: an icon, a heading, and a sentence that says how to get
/// on, in the middle.
class EmptyState : public QWidget {
    Q_OBJECT

  public:
    EmptyState(const QString& iconName, const QString& heading, QWidget* parent = nullptr);
    void setText(const QString& text);
    QString text() const;
    /// Below the sentence; the page owns it.
    void addWidget(QWidget* widget);

  private:
    QLabel* text_;
    QVBoxLayout* extra_;
};

}  // namespace ui
