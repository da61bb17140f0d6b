// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QIcon>
#include <QString>

class QPushButton;

namespace ui {

/// Which token colours a symbolic icon.
enum class IconTone { Text, Muted, Faint, Accent, OnAccent, Success, Warning, Danger };

/// The symbolic icon resources/icons/NAME.svg, drawn at any size and pixel ratio in the present
/// theme's colour (faint when disabled). Follows a change of theme by itself.
QIcon icon(const QString& name, IconTone tone = IconTone::Muted);

/// The icon before a button's text, at a distance at which the two belong together.
void setButtonIcon(QPushButton& button, const QString& name, IconTone tone = IconTone::Text);

}  // namespace ui
