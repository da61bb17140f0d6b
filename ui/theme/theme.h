// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme/tokens.h"

#include <QApplication>
#include <QFont>
#include <QObject>

class QAbstractButton;
class QFrame;
class QWidget;

namespace ui {

/// The tokens of the application's present palette: a dark window colour means dark tokens. Read
/// them when painting, do not keep them.
const Tokens& tokens();

/// The type scale, relative to the application's font so that the person's text size is kept.
enum class TextRole { Caption, Body, Strong, Title, Heading, Display, Mono };
QFont textFont(TextRole role);

/// Gives a QLabel (or any widget with text) its place in the type scale; the stylesheet does the
/// rest. `muted` takes the quieter text colour.
void setTextRole(QWidget* widget, TextRole role, bool muted = false);

/// Default: outlined. Primary: the one accent button of a view. Danger: outlined in red. Ghost:
/// flat until the pointer is over it. Segment: a checkable part of a segmented row.
enum class ButtonKind { Default, Primary, Danger, Ghost, Segment };
void setButtonKind(QAbstractButton* button, ButtonKind kind);

/// A surface with border and rounded corners (QFrame) that groups what belongs together.
void setCard(QFrame* frame);

/// Emits `changed` after the application's colours changed: for things that cache colours (charts,
/// pixmaps). Widgets that read tokens() in paintEvent need nothing.
class ThemeWatcher : public QObject {
    Q_OBJECT

  public:
    explicit ThemeWatcher(QObject* parent);

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  Q_SIGNALS:
    void changed();
};

enum class ThemeMode { System, Light, Dark };

/// Fusion style, palette, fonts and the one stylesheet on the application. One object, made in
/// main() before the first widget; keeps the choice in QSettings ("view/theme").
class Theme : public QObject {
    Q_OBJECT

  public:
    explicit Theme(QApplication& application);

    ThemeMode mode() const { return mode_; }
    /// Applies it at once and remembers it.
    void setMode(ThemeMode mode);

  Q_SIGNALS:
    void modeChanged(ui::ThemeMode mode);

  private:
    void apply();
    void followSystem();

    QApplication& application_;
    ThemeMode mode_ = ThemeMode::System;
    bool systemDark_ = false;
};

}  // namespace ui
