// SPDX-License-Identifier: Apache-2.0
#include "core/data/added_tokens.h"

#include <algorithm>

namespace core {
namespace {

/// Python's white space in UTF-8.
constexpr std::array<std::string_view, 29> kSpaces{
    "\t",           "\n",           "\v",           "\f",           "\r",
    "\x1c",         "\x1d",         "\x1e",         "\x1f",         " ",
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

/// Bytes of the white space that `matches`; 0 where none does.
template <typename F>
std::size_t spaceBytes(F&& matches) {
    const auto* const found = std::find_if(kSpaces.begin(), kSpaces.end(), matches);
    return found == kSpaces.end() ? 0 : found->size();
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
    for (std::size_t i = 0; i < tokens_.size(); ++i)
        if (!tokens_[i].text.empty())
            byFirstByte_[static_cast<unsigned char>(tokens_[i].text[0])].push_back(i);
    for (std::vector<std::size_t>& list : byFirstByte_)
        std::stable_sort(list.begin(), list.end(), [this](std::size_t a, std::size_t b) {
            return tokens_[a].text.size() > tokens_[b].text.size();
        });
}

const AddedToken* AddedTokens::at(std::string_view text) const {
    for (const std::size_t index : byFirstByte_[static_cast<unsigned char>(text[0])])
        if (text.starts_with(tokens_[index].text)) return &tokens_[index];
    return nullptr;
}

std::vector<AddedTokens::Segment> AddedTokens::split(std::string_view text) const {
    std::vector<Segment> segments;
    std::size_t begin = 0;
    bool strip = false;
    const auto addText = [&](std::size_t end, bool stripRight) {
        std::string_view between = text.substr(begin, end - begin);
        if (strip) between = stripWhitespaceLeft(between);
        if (stripRight) between = stripWhitespaceRight(between);
        if (!between.empty()) segments.push_back({between, nullptr});
    };
    for (std::size_t i = 0; i < text.size();) {
        const AddedToken* token = at(text.substr(i));
        if (token == nullptr) {
            ++i;
            continue;
        }
        addText(i, token->stripLeft);
        segments.push_back({text.substr(i, token->text.size()), token});
        i += token->text.size();
        begin = i;
        strip = token->stripRight;
    }
    addText(text.size(), false);
    return segments;
}

std::string_view stripWhitespaceLeft(std::string_view text) {
    while (const std::size_t bytes =
               spaceBytes([&](std::string_view space) { return text.starts_with(space); }))
        text.remove_prefix(bytes);
    return text;
}

std::string_view stripWhitespaceRight(std::string_view text) {
    while (const std::size_t bytes =
               spaceBytes([&](std::string_view space) { return text.ends_with(space); }))
        text.remove_suffix(bytes);
    return text;
}

}  // namespace core
