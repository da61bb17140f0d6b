// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

class QDBusVariant;

namespace ui {

/// The desktop's light or dark preference (org.freedesktop.appearance color-scheme from the
/// settings portal). Asked in the background; silent where there is no session bus or portal.
class SystemScheme : public QObject {
    Q_OBJECT

  public:
    explicit SystemScheme(QObject* parent);

  Q_SIGNALS:
    /// Comes once with the answer, then on each change. Not emitted for "no preference".
    void darkChanged(bool dark);

  private Q_SLOTS:
    void settingChanged(const QString& group, const QString& key, const QDBusVariant& value);

  private:
    void ask();
};

}  // namespace ui
