// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/json_cursor.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <utility>

namespace core {
namespace {

constexpr int kMaxDepth = 32;

bool isAscii(std::string_view text) {
    std::size_t i = 0;
    std::uint64_t seen = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + i, 8);
        seen |= word;
    }
    for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]) & 0x80U;
    return (seen & 0x8080808080808080ULL) == 0;
}

/// Neither an escape nor a control character.
bool isPlain(std::string_view text) {
    unsigned special = 0;
    for (const char c : text)
        special |= static_cast<unsigned>(c == '\\') |
                   static_cast<unsigned>(static_cast<unsigned char>(c) < 0x20);
    return special == 0;
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }

void appendUtf8(std::string& into, std::uint32_t point) {
    const auto put = [&into](std::uint32_t byte) { into += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0U | (point >> 6U));
        put(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        put(0xE0U | (point >> 12U));
        put(0x80U | ((point >> 6U) & 0x3FU));
        put(0x80U | (point & 0x3FU));
    } else {
        put(0xF0U | (point >> 18U));
        put(0x80U | ((point >> 12U) & 0x3FU));
        put(0x80U | ((point >> 6U) & 0x3FU));
        put(0x80U | (point & 0x3FU));
    }
}

}  // namespace

JsonCursor::JsonCursor(std::string_view text, std::string where, std::uint64_t base)
    : text_(text), where_(std::move(where)), base_(base) {
    if (!isAscii(text) && !isUtf8(text))
        throw Error(ErrorKind::BadInput, fmt::format("{} holds bytes that are not UTF-8", where_),
                    "the file is damaged: copy or download it again");
}

void JsonCursor::fail(std::string_view expected) const {
    const std::string found =
        at_ >= text_.size() ? "the end" : fmt::format("'{}'", printable(text_.substr(at_, 12)));
    throw Error(ErrorKind::BadInput,
                fmt::format("{}: found {} at byte {} where {} was expected", where_, found,
                            base_ + at_, expected),
                "the file is damaged or not what its name says: copy or download it again");
}

void JsonCursor::skipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
        ++at_;
}

bool JsonCursor::take(char symbol) {
    skipSpace();
    if (at_ >= text_.size() || text_[at_] != symbol) return false;
    ++at_;
    return true;
}

void JsonCursor::expect(char symbol, std::string_view what) {
    if (!take(symbol)) fail(what);
}

std::string_view JsonCursor::string(std::string_view what) {
    expect('"', what);
    const std::size_t end = text_.find('"', at_);
    const std::string_view raw =
        text_.substr(at_, end == std::string_view::npos ? std::string_view::npos : end - at_);
    if (end == std::string_view::npos || !isPlain(raw)) return escapedString();
    at_ = end + 1;
    return raw;
}

std::string_view JsonCursor::escapedString() {
    unescaped_.clear();
    while (at_ < text_.size() && text_[at_] != '"') {
        const char c = text_[at_];
        if (static_cast<unsigned char>(c) < 0x20) fail("no control character in a string");
        if (c == '\\') {
            appendEscape();
            continue;
        }
        unescaped_ += c;
        ++at_;
    }
    if (at_ >= text_.size()) fail("the end of a string");
    ++at_;
    return unescaped_;
}

void JsonCursor::appendEscape() {
    ++at_;
    if (at_ >= text_.size()) fail("the end of an escape");
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    const std::size_t simple = kFrom.find(text_[at_]);
    if (simple != std::string_view::npos) {
        unescaped_ += kTo[simple];
        ++at_;
        return;
    }
    std::uint32_t point = hexEscape();
    if (point >= 0xD800 && point < 0xDC00) {
        if (at_ >= text_.size() || text_[at_] != '\\') fail("the second half of a surrogate pair");
        ++at_;
        const std::uint32_t second = hexEscape();
        if (second < 0xDC00 || second > 0xDFFF) fail("the second half of a surrogate pair");
        point = 0x10000 + ((point - 0xD800) << 10U) + (second - 0xDC00);
    } else if (point >= 0xDC00 && point <= 0xDFFF) {
        fail("the first half of a surrogate pair");
    }
    appendUtf8(unescaped_, point);
}

std::uint32_t JsonCursor::hexEscape() {
    std::uint32_t value = 0;
    if (at_ + 5 > text_.size() || text_[at_] != 'u') fail("an escape of JSON");
    const char* const first = text_.data() + at_ + 1;
    const auto [end, code] = std::from_chars(first, first + 4, value, 16);
    if (code != std::errc() || end != first + 4) fail("four hexadecimal digits");
    at_ += 5;
    return value;
}

std::uint64_t JsonCursor::wholeNumber(std::string_view what) {
    skipSpace();
    std::uint64_t value = 0;
    const char* const first = text_.data() + at_;
    const char* const last = text_.data() + text_.size();
    const auto [end, code] = std::from_chars(first, last, value);
    const bool leadingZero = end - first > 1 && *first == '0';
    const bool fraction = end != last && (*end == '.' || *end == 'e' || *end == 'E');
    if (code != std::errc() || leadingZero || fraction) fail(what);
    at_ += static_cast<std::size_t>(end - first);
    return value;
}

void JsonCursor::skipValue() { skipNested(0); }

void JsonCursor::skipNested(int depth) {
    if (depth > kMaxDepth) fail(fmt::format("nesting of at most {} levels", kMaxDepth));
    skipSpace();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '{') {
        object("an object", [&](std::string_view) { skipNested(depth + 1); });
    } else if (c == '[') {
        array("an array", [&] { skipNested(depth + 1); });
    } else if (c == '"') {
        string("a string");
    } else if (c == '-' || isDigit(c)) {
        while (at_ < text_.size() &&
               (isDigit(text_[at_]) || std::strchr("+-.eE", text_[at_]) != nullptr))
            ++at_;
    } else {
        for (const std::string_view word : {"true", "false", "null"}) {
            if (text_.substr(at_, word.size()) != word) continue;
            at_ += word.size();
            return;
        }
        fail("a JSON value");
    }
}

void JsonCursor::expectEnd() {
    skipSpace();
    if (at_ != text_.size()) fail("nothing more");
}

std::string jsonQuoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20)
            quoted += fmt::format("\\u{:04x}", byte);
        else if (c == '"' || c == '\\')
            quoted += {'\\', c};
        else
            quoted += c;
    }
    return quoted + '"';
}

}  // namespace core
