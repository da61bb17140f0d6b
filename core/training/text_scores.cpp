// SPDX-License-Identifier: Apache-2.0
#include "core/training/text_scores.h"

#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <clocale>
#include <cstdint>
#include <cwctype>
#include <map>

namespace core {
namespace {

/// The C library's knowledge of Unicode, whatever the person's locale is.
locale_t unicode() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    CORE_CHECK(locale != nullptr, "a C library that knows the locale C.UTF-8");
    return locale;
}

/// The code points of UTF-8; bytes that are none stand for themselves.
std::u32string codePoints(std::string_view text) {
    std::u32string points;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i++]);
        const int more = std::max(std::countl_one(lead) - 1, 0);
        char32_t point = more > 0 ? lead & (0x3FU >> more) : lead;
        for (int k = 0; k < more && i < text.size(); ++k)
            point = (point << 6U) | (static_cast<unsigned char>(text[i++]) & 0x3FU);
        points.push_back(point);
    }
    return points;
}

void append(std::string& text, char32_t point) {
    const auto byte = [&text](char32_t value) { text.push_back(static_cast<char>(value)); };
    const auto tail = [&](unsigned shift) { byte(0x80U | ((point >> shift) & 0x3FU)); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
        byte(0xC0U | (point >> 6U));
    } else if (point < 0x10000) {
        byte(0xE0U | (point >> 12U));
        tail(6);
    } else {
        byte(0xF0U | (point >> 18U));
        tail(12);
        tail(6);
    }
    tail(0);
}

bool isPunctuation(char32_t point) {
    return point > ' ' && point < 0x7F && iswalnum_l(static_cast<wint_t>(point), unicode()) == 0;
}

/// Python's str.isspace: the C library leaves out the spaces that do not break.
bool isSpace(char32_t point) {
    constexpr std::array<char32_t, 8> kMore{0x1C, 0x1D, 0x1E, 0x1F, 0x85, 0xA0, 0x2007, 0x202F};
    return iswspace_l(static_cast<wint_t>(point), unicode()) != 0 ||
           std::find(kMore.begin(), kMore.end(), point) != kMore.end();
}

/// Of a word as regular expressions see it, which may be a part of one between spaces.
bool isWordCharacter(char32_t point) {
    return iswalnum_l(static_cast<wint_t>(point), unicode()) != 0;
}

bool isArticle(std::u32string_view run) { return run == U"a" || run == U"an" || run == U"the"; }

/// Articles become spaces.
std::u32string withoutArticles(const std::u32string& text) {
    std::u32string left;
    for (std::size_t i = 0; i < text.size();) {
        if (!isWordCharacter(text[i])) {
            left.push_back(text[i++]);
            continue;
        }
        const std::size_t begin = i;
        while (i < text.size() && isWordCharacter(text[i])) ++i;
        const std::u32string_view run(text.data() + begin, i - begin);
        if (isArticle(run))
            left.push_back(U' ');
        else
            left += run;
    }
    return left;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\f\v";
    const std::size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

std::vector<std::string> answerWords(std::string_view text) {
    std::u32string plain;
    for (const char32_t point : codePoints(text))
        if (!isPunctuation(point))
            plain.push_back(
                static_cast<char32_t>(towlower_l(static_cast<wint_t>(point), unicode())));
    std::vector<std::string> words;
    bool inside = false;
    for (const char32_t point : withoutArticles(plain)) {
        const bool space = isSpace(point);
        if (!space && !inside) words.emplace_back();
        inside = !space;
        if (inside) append(words.back(), point);
    }
    return words;
}

double tokenF1(std::string_view made, std::string_view truth) {
    const std::vector<std::string> a = answerWords(made);
    const std::vector<std::string> b = answerWords(truth);
    if (a.empty() || b.empty()) return a.empty() && b.empty() ? 1 : 0;
    std::map<std::string, std::int64_t> open;
    for (const std::string& word : b) ++open[word];
    const auto common = std::count_if(
        a.begin(), a.end(), [&open](const std::string& word) { return open[word]-- > 0; });
    return 2 * static_cast<double>(common) / static_cast<double>(a.size() + b.size());
}

bool isExactMatch(std::string_view made, std::string_view truth) {
    return trimmed(made) == trimmed(truth);
}

}  // namespace core
