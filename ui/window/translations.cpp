// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/translations.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

namespace ui {

void installTranslations(QCoreApplication& application) {
    const QString ours = QStringLiteral(":/translations");
    auto* english = new QTranslator(&application);
    if (english->load(QStringLiteral("upcycler_en"), ours))
        QCoreApplication::installTranslator(english);
    auto* toolkit = new QTranslator(&application);
    if (toolkit->load(QLocale(), QStringLiteral("qtbase"), QStringLiteral("_"),
                      QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QCoreApplication::installTranslator(toolkit);
    if (QLocale().language() == QLocale::English || QLocale().language() == QLocale::C) return;
    auto* language = new QTranslator(&application);
    if (language->load(QLocale(), QStringLiteral("upcycler"), QStringLiteral("_"), ours))
        QCoreApplication::installTranslator(language);
}

}  // namespace ui
