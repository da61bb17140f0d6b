// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme/tokens.h"

#include <QFont>
#include <QPalette>
#include <QString>

namespace ui {

/// The palette that Fusion draws with.
QPalette paletteFor(const Tokens& tokens);

/// The one stylesheet, resources/theme.qss with "@name" replaced by the tokens' values.
QString styleSheetFor(const Tokens& tokens, const QFont& base);

}  // namespace ui
