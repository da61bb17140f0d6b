// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>
#include <QString>

class QLabel;

namespace ui {

class IconLabel;

/// A message inside a panel, not in a window of its own: what happened, and what to do. Hidden
/// while it says nothing.
class Notice : public QFrame {
    Q_OBJECT

  public:
    enum class Tone { Info, Warning, Danger };

    explicit Notice(QWidget* parent = nullptr);

    void say(Tone tone, const QString& message, const QString& hint = {});
    void clear();
    QString message() const;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    Tone tone_ = Tone::Info;
    IconLabel* icon_;
    QLabel* message_;
    QLabel* hint_;
};

}  // namespace ui
