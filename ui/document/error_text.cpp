// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/error_text.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include <new>

namespace ui {

ErrorText errorTextOf(const std::exception_ptr& exception) {
    const auto tr = [](const char* text) { return QCoreApplication::translate("ErrorText", text); };
    try {
        std::rethrow_exception(exception);
    } catch (const core::Error& error) {
        return {error.kind(), QString::fromUtf8(error.what()),
                QString::fromStdString(error.hint())};
    } catch (const std::bad_alloc&) {
        return {core::ErrorKind::OutOfMemory,
                tr(QT_TRANSLATE_NOOP("ErrorText", "There is not enough memory for this.")),
                tr(QT_TRANSLATE_NOOP("ErrorText", "Close other programs and try again."))};
    } catch (const std::exception& error) {
        return {
            core::ErrorKind::Internal, QString::fromUtf8(error.what()),
            tr(QT_TRANSLATE_NOOP("ErrorText", "This is a fault in Upcycler: please report it."))};
    }
}

QString asSentence(const QString& hint) {
    static const QRegularExpression kWord(QStringLiteral("^[a-z]+[ ,:]"));
    if (!kWord.match(hint).hasMatch() || hint.startsWith(QStringLiteral("upcycle "))) return hint;
    return hint.front().toUpper() + hint.mid(1);
}

}  // namespace ui
