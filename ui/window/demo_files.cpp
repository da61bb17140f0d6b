// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/demo_files.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace ui {
namespace {

constexpr int kLevelsUp = 4;  // build/release/bin and one to spare

bool isCheckpoint(const QString& folder) {
    return QFileInfo::exists(folder + QStringLiteral("/config.json")) &&
           QFileInfo::exists(folder + QStringLiteral("/model.safetensors"));
}

}  // namespace

std::optional<QString> demoCheckpointNear(const QString& folder) {
    const QString installed =
        QDir::cleanPath(folder + QStringLiteral("/../share/upcycler/demo/vit-fashion-mnist"));
    if (isCheckpoint(installed)) return installed;
    QDir above(folder);
    for (int i = 0; i < kLevelsUp; ++i) {
        const QString candidate =
            above.filePath(QStringLiteral("resources/demo/vit-fashion-mnist"));
        if (isCheckpoint(candidate)) return QDir::cleanPath(candidate);
        if (!above.cdUp()) break;
    }
    return {};
}

std::optional<QString> demoCheckpoint() {
    return demoCheckpointNear(QCoreApplication::applicationDirPath());
}

}  // namespace ui
