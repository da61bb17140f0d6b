// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"

#include <QMetaType>
#include <QString>

#include <exception>

namespace ui {

/// A core::Error as the window shows it: what happened, and what to do.
struct ErrorText {
    core::ErrorKind kind = core::ErrorKind::Internal;
    QString message;
    QString hint;
};

/// Of the exception being handled or carried from another thread; anything but core::Error is said
/// as an internal error or as lack of memory.
ErrorText errorTextOf(const std::exception_ptr& exception);

/// The engine's hints begin small, as they stand behind "hint: " in a terminal; on their own line
/// they begin as a sentence does. Commands and paths stay as they are.
QString asSentence(const QString& hint);

}  // namespace ui

Q_DECLARE_METATYPE(ui::ErrorText)
