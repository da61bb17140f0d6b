// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>

class QLabel;

namespace ui {

/// A labelled input with room for one message below it: the label above, what is wrong (or worth
/// knowing) underneath, never in a window of its own. The label is the editor's accessible name.
class Field : public QWidget {
    Q_OBJECT

  public:
    /// `beside` (a button) stands to the right of the editor; may be nullptr.
    Field(const QString& label, QWidget* editor, const QString& help, QWidget* beside = nullptr);

    enum class Tone { Problem, Warning };
    void setMessage(const QString& message, Tone tone);
    void clearMessage();
    void setLabel(const QString& label, const QString& help);
    QString message() const;
    QWidget* editor() const noexcept { return editor_; }

  private:
    QWidget* editor_;
    QLabel *name_, *message_;
};

}  // namespace ui
