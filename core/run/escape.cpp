// SPDX-License-Identifier: Apache-2.0
#include "core/run/escape.h"

#include "core/base/text.h"

namespace core {
namespace {

constexpr std::size_t kMostBytes = 200;
constexpr std::string_view kMarkup = "\\`*_[]{}()|#~$!";

std::string_view entityOf(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return {};
    }
}

}  // namespace

std::string escapedXml(std::string_view text) {
    std::string out;
    for (const char c : printable(text, kMostBytes)) {
        const std::string_view entity = entityOf(c);
        if (entity.empty())
            out += c;
        else
            out += entity;
    }
    return out;
}

std::string escapedMarkdown(std::string_view text) {
    std::string out;
    for (const char c : printable(text, kMostBytes)) {
        const bool quote = c == '"' || c == '\'';
        if (kMarkup.find(c) != std::string_view::npos) out += '\\';
        if (entityOf(c).empty() || quote)
            out += c;
        else
            out += entityOf(c);
    }
    return out;
}

}  // namespace core
