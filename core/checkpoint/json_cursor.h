// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace core {

/// One forward pass over a JSON text, for the headers of checkpoints, which have a fixed schema and
/// can be long: no tree is built. Every failure is BadInput naming `where`, the byte and what was
/// expected. The text must outlive the cursor.
class JsonCursor {
  public:
    /// `base` is the position of text[0] in its file, for messages. Text that is not UTF-8 is
    /// refused.
    JsonCursor(std::string_view text, std::string where, std::uint64_t base = 0);

    /// Skips white space, then takes `symbol` when it is next.
    bool take(char symbol);
    void expect(char symbol, std::string_view what);
    /// A string with its escapes resolved; the view holds until the next call.
    std::string_view string(std::string_view what);
    /// A whole number in [0, 2^64); signs, fractions and exponents are refused.
    std::uint64_t wholeNumber(std::string_view what);
    /// Any value; nesting deeper than 32 is refused.
    void skipValue();
    /// Only white space may be left.
    void expectEnd();

    /// Calls onKey(key) for each member of an object; onKey must consume the value.
    template <typename F>
    void object(std::string_view what, F&& onKey) {
        expect('{', what);
        if (take('}')) return;
        do {
            std::string_view key = string("a key in double quotes");
            std::string kept;
            if (key.data() == unescaped_.data()) key = kept = key;
            expect(':', "a colon after the key");
            onKey(key);
        } while (take(','));
        expect('}', "a comma or a closing brace");
    }
    /// Calls onItem() for each item of an array; onItem must consume it.
    template <typename F>
    void array(std::string_view what, F&& onItem) {
        expect('[', what);
        if (take(']')) return;
        do onItem();
        while (take(','));
        expect(']', "a comma or a closing bracket");
    }

    [[noreturn]] void fail(std::string_view expected) const;

  private:
    void skipSpace();
    void skipNested(int depth);
    std::string_view escapedString();
    void appendEscape();
    std::uint32_t hexEscape();

    std::string_view text_;
    std::string where_;
    std::uint64_t base_;
    std::size_t at_ = 0;
    std::string unescaped_;
};

/// `text` as a JSON string, in double quotes. The text must be UTF-8.
std::string jsonQuoted(std::string_view text);

}  // namespace core
