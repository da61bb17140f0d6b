// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <optional>

namespace ui {

/// The demo checkpoint's folder: resources/demo of the source tree that holds the program, or
/// ../share/upcycler/demo of an installation. Empty when there is none.
std::optional<QString> demoCheckpoint();

/// The same, seen from a program in `folder`.
std::optional<QString> demoCheckpointNear(const QString& folder);

}  // namespace ui
