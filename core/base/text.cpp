// SPDX-License-Identifier: Apache-2.0
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace core {
namespace {

std::string scaled(double value, const std::array<const char*, 5>& units, int plainDigits) {
    std::size_t unit = 0;
    while (std::abs(value) >= 999.5 && unit + 1 < units.size()) {
        value /= 1000.0;
        ++unit;
    }
    if (unit == 0) return fmt::format("{:.{}f}{}", value, plainDigits, units[0]);
    const int digits = std::abs(value) < 9.995 ? 2 : 1;
    return fmt::format("{:.{}f}{}", value, digits, units[unit]);
}

/// Bytes of the well-formed UTF-8 character that `text` (not empty) begins with, or 0.
std::size_t characterLength(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead < 0x80          ? 1
                               : (lead >> 5U) == 6  ? 2
                               : (lead >> 4U) == 14 ? 3
                               : (lead >> 3U) == 30 ? 4
                                                    : 0;
    if (length == 0 || length > text.size()) return 0;
    std::uint32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
        const auto next = static_cast<unsigned char>(text[k]);
        if ((next >> 6U) != 2) return 0;
        point = (point << 6U) | (next & 0x3FU);
    }
    constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
    const bool isCharacter =
        point >= kLeast[length] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    return isCharacter ? length : 0;
}

}  // namespace

std::string formatBytes(double bytes) {
    return scaled(bytes, {" B", " kB", " MB", " GB", " TB"}, 0);
}

std::string formatCount(double count) { return scaled(count, {"", " k", " M", " B", " T"}, 0); }

std::string formatExact(std::int64_t count) {
    const std::string digits = fmt::format("{}", count);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const bool begins = i == 0 || digits[i - 1] == '-';
        if (!begins && (digits.size() - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return text;
}

std::string formatDuration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) return "unknown";
    const auto whole = static_cast<long long>(std::llround(seconds));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string printable(std::string_view text, std::size_t maxBytes) {
    const unsigned firstUnsafe = isUtf8(text) ? 0x100 : 0x80;
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool begins = (byte >> 6U) != 2 || byte >= firstUnsafe;
        if (begins && out.size() >= maxBytes) return out + "...";
        if (byte < 0x20 || byte == 0x7F || byte >= firstUnsafe)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out;
}

bool isUtf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = characterLength(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

ValidText replaceInvalidUtf8(std::string_view text) {
    ValidText valid;
    while (!text.empty()) {
        const std::size_t length = characterLength(text);
        if (length == 0) {
            valid.text += "\xEF\xBF\xBD";
            ++valid.replaced;
        } else {
            valid.text += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return valid;
}

}  // namespace core
