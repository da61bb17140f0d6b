// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/error_text.h"

#include <QFrame>
#include <QTimer>

#include <functional>

class QLabel;
class QPushButton;
class QToolButton;

namespace ui {

class IconLabel;

/// One message at a time above the workspace, never modal: what happened and what to do. Errors
/// stay until they are closed or replaced, good news goes by itself.
class MessageBar : public QFrame {
    Q_OBJECT

  public:
    enum class Kind { Info, Success, Warning, Error };
    struct Action {
        QString text;
        std::function<void()> run;
    };

    explicit MessageBar(QWidget* parent);

    void showError(const ErrorText& error);
    void showMessage(Kind kind, const QString& message, const QString& hint = {},
                     const Action& action = {});
    void dismiss();

    QString message() const;
    QString hint() const;

  protected:
    void keyPressEvent(QKeyEvent* event) override;

  private:
    IconLabel* icon_;
    QLabel* message_;
    QLabel* hint_;
    QPushButton* action_;
    QToolButton* close_;
    QTimer timer_;
    std::function<void()> run_;
};

}  // namespace ui
