// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/recent_files.h"

#include <QDir>
#include <QSettings>

namespace ui {
namespace {

const QString kKey = QStringLiteral("recent/files");
constexpr int kMost = 10;

}  // namespace

RecentFiles::RecentFiles(QObject* parent)
    : QObject(parent), paths_(QSettings().value(kKey).toStringList()) {}

void RecentFiles::add(const QString& path) {
    const QString absolute = QDir::cleanPath(QDir().absoluteFilePath(path));
    if (!paths_.isEmpty() && paths_.front() == absolute) return;
    paths_.removeAll(absolute);
    paths_.prepend(absolute);
    while (paths_.size() > kMost) paths_.removeLast();
    store();
}

void RecentFiles::remove(const QString& path) {
    if (paths_.removeAll(path) > 0) store();
}

void RecentFiles::clear() {
    paths_.clear();
    store();
}

void RecentFiles::store() {
    QSettings().setValue(kKey, paths_);
    Q_EMIT changed();
}

}  // namespace ui
