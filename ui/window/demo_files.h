// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <optional>

namespace ui {

/// The demo checkpoint's folder: resources/demo/vit-fashion-mnist of the source tree that holds the
/// program, or the same under ../share/upcycler of an installation. Empty when there is none.
std::optional<QString> demoCheckpoint();

/// The same, seen from a program in `folder`.
std::optional<QString> demoCheckpointNear(const QString& folder);

}  // namespace ui
