// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/name_filter.h"

#include <QStringList>

namespace ui {

QRegularExpression nameFilter(const QString& text) {
    QStringList parts;
    for (const QString& part : text.trimmed().split(QLatin1Char('*')))
        parts << QRegularExpression::escape(part);
    return QRegularExpression(
        parts.join(QStringLiteral(".*")),
        QRegularExpression::CaseInsensitiveOption | QRegularExpression::DotMatchesEverythingOption);
}

}  // namespace ui
