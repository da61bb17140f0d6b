// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// A token that is found in the text before the model sees it (transformers' AddedToken).
struct AddedToken {
    std::string text;
    std::int32_t id = 0;
    /// Takes the white space to its left or right with it.
    bool stripLeft = false, stripRight = false;
    bool special = true;
};

/// Finds added tokens in a text: the leftmost one first, the longest of those that begin there.
class AddedTokens {
  public:
    AddedTokens() = default;
    explicit AddedTokens(std::vector<AddedToken> tokens);

    /// A piece of text: either an added token, or what is between two of them (never empty).
    struct Segment {
        std::string_view text;
        const AddedToken* token = nullptr;
    };
    /// Views of `text`, which lives as long as they do.
    std::vector<Segment> split(std::string_view text) const;

    const std::vector<AddedToken>& all() const noexcept { return tokens_; }

  private:
    const AddedToken* at(std::string_view text) const;
    std::vector<AddedToken> tokens_;
    std::array<std::vector<std::size_t>, 256> byFirstByte_;
};

/// `text` without white space (Python's `str.isspace`) at its left or right end; UTF-8.
std::string_view stripWhitespaceLeft(std::string_view text);
std::string_view stripWhitespaceRight(std::string_view text);

}  // namespace core
