// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/local_paths.h"

#include <QMimeData>
#include <QUrl>

namespace ui {

QStringList localPaths(const QMimeData& data) {
    QStringList paths;
    for (const QUrl& url : data.urls())
        if (url.isLocalFile()) paths << url.toLocalFile();
    return paths;
}

}  // namespace ui
