// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/csv_writer.h"

#include <QString>

#include <string_view>

namespace ui {

/// UTF-8 of the engine.
inline QString text(std::string_view value) {
    return QString::fromUtf8(value.data(), static_cast<qsizetype>(value.size()));
}

/// The shortest number that reads back as `value`: "0.15", "1e-4".
template <typename T>
QString plain(T value) {
    return QString::fromLatin1(csvNumber(value).replace("e-0", "e-"));
}

}  // namespace ui
