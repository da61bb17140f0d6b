// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <string_view>

namespace core {

/// Appends `line` and a newline in one write. A torn last line (of a killed writer) is ended first,
/// so that it spoils nothing but itself.
void appendLine(const File& file, std::string_view line);

}  // namespace core
