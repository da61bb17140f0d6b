// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QProgressBar;

namespace ui {

/// The bar of a dialog whose work is not running: without a text, hidden, its place kept so that
/// the dialog does not jump when work begins.
void makeDialogProgress(QProgressBar& bar);

}  // namespace ui
