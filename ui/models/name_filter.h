// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRegularExpression>

namespace ui {

/// What a person types to find names: a part of the name in any case; a star stands for any text
/// ("layer.*.bias").
QRegularExpression nameFilter(const QString& text);

}  // namespace ui
