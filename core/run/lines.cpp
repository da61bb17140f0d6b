// SPDX-License-Identifier: Apache-2.0
#include "core/run/lines.h"

#include <array>
#include <string>

namespace core {

void appendLine(const File& file, std::string_view line) {
    std::array<std::byte, 1> last{std::byte{'\n'}};
    if (const std::uint64_t size = file.size(); size > 0)
        File::openForReading(file.path()).readAt(size - 1, last);
    std::string text(last[0] == std::byte{'\n'} ? 0 : 1, '\n');
    text += line;
    text += '\n';
    file.append(text);
}

}  // namespace core
