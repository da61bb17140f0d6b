// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>

class QMimeData;

namespace ui {

/// The files and folders of this machine that are being dragged, in their order.
QStringList localPaths(const QMimeData& data);

}  // namespace ui
