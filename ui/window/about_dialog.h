// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QWidget;

namespace ui {

/// Version, what it is, licences of the program and of the libraries in it.
void showAbout(QWidget& parent);

}  // namespace ui
