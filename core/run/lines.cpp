// SPDX-License-Identifier: Apache-2.0
#include "core/run/lines.h"

#include <array>
#include <string>

namespace core {

void appendLine(const File& file, std::string_view line) {
    std::string text;
    if (const std::uint64_t size = file.size(); size > 0) {
        std::array<std::byte, 1> last{};
        File::openForReading(file.path()).readAt(size - 1, last);
        if (last[0] != std::byte{'\n'}) text = "\n";
    }
    text += line;
    text += '\n';
    file.append(text);
}

}  // namespace core
