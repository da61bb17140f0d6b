// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QMainWindow;

namespace ui {

/// Every shortcut: those of the window's actions, read from them, and the canvas's keys.
void showShortcuts(QMainWindow& window);

}  // namespace ui
