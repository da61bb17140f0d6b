// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace core {

/// "1.14 GB", "77.0 MB": decimal units, three significant digits.
std::string formatBytes(double bytes);

/// "2.00 B", "148.6 M", "4.7 k", "12": counts with the field's letters.
std::string formatCount(double count);

/// "12", "12,000", "-1,234,567": every digit.
std::string formatExact(std::int64_t count);

/// "3 h 12 min", "4 min 05 s", "12 s".
std::string formatDuration(double seconds);

/// Control characters, DEL and, in text that is not UTF-8, every byte from 0x80 as \\xNN, cut at
/// the first character that begins at or behind `maxBytes`, with an ellipsis: for names read from a
/// file.
std::string printable(std::string_view text, std::size_t maxBytes = 120);

/// Whether `text` is well-formed UTF-8.
bool isUtf8(std::string_view text) noexcept;

/// `text` with U+FFFD for every byte that is not part of well-formed UTF-8.
struct ValidText {
    std::string text;
    std::uint64_t replaced = 0;  ///< bytes
};
ValidText replaceInvalidUtf8(std::string_view text);

}  // namespace core
