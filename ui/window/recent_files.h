// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <QStringList>

namespace ui {

/// The checkpoints and runs opened last, newest first, kept in QSettings ("recent/files").
class RecentFiles : public QObject {
    Q_OBJECT

  public:
    explicit RecentFiles(QObject* parent);
    const QStringList& paths() const { return paths_; }
    void add(const QString& path);
    void remove(const QString& path);
    void clear();

  Q_SIGNALS:
    void changed();

  private:
    void store();
    QStringList paths_;
};

}  // namespace ui
