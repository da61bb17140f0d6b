// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/sample_text.h"

#include <QRegularExpression>
#include <QStringList>

#include <algorithm>

namespace ui {
namespace {

constexpr qsizetype kMostInput = 4000;
constexpr qsizetype kMostOutput = 8000;
constexpr qsizetype kMostSpanWords = 60;
constexpr std::size_t kMostSpans = 100;  // T5 has as many markers
constexpr QChar kEllipsis(0x2026);

bool turnsDirection(char32_t c) {
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

/// Those that a text document gives a meaning of its own.
bool isReserved(char32_t c) { return c == 0xFFFC || (c >= 0xFDD0 && c <= 0xFDEF); }

QString shown(char32_t c) {
    if (c == U'\n' || c == 0x2028 || c == 0x2029) return QStringLiteral("↵ ");
    if (c == U'\t') return QStringLiteral(" ");
    if (QChar::category(c) == QChar::Other_Control)
        return QStringLiteral("\\x%1").arg(static_cast<uint>(c), 2, 16, QLatin1Char('0'));
    if (turnsDirection(c) || isReserved(c))
        return QStringLiteral("\\u%1").arg(static_cast<uint>(c), 4, 16, QLatin1Char('0'));
    return QString::fromUcs4(&c, 1);
}

const QRegularExpression& marker() {
    static const QRegularExpression kMarker(QStringLiteral("<extra_id_(\\d{1,4})>"));
    return kMarker;
}

std::vector<SampleText::Piece> piecesOf(const QString& text) {
    std::vector<SampleText::Piece> pieces;
    qsizetype from = 0;
    for (auto it = marker().globalMatch(text); it.hasNext();) {
        const QRegularExpressionMatch match = it.next();
        if (match.capturedStart() > from)
            pieces.push_back({text.mid(from, match.capturedStart() - from)});
        pieces.push_back({{}, match.captured(1).toInt()});
        from = match.capturedEnd();
    }
    if (from < text.size()) pieces.push_back({text.mid(from)});
    return pieces;
}

struct Filling {
    int number = -1;
    QStringList words;
};

/// What stands behind each marker; a marker that comes again goes on.
std::vector<Filling> fillingsOf(const QString& text, bool& isCut) {
    std::vector<Filling> fillings;
    int number = -1;
    for (const SampleText::Piece& piece : piecesOf(text)) {
        if (piece.span >= 0) number = piece.span;
        const auto found = std::find_if(fillings.begin(), fillings.end(),
                                        [&](const Filling& f) { return f.number == number; });
        QStringList words = piece.text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
        if (words.size() > kMostSpanWords) {
            words = words.mid(0, kMostSpanWords) << QString(kEllipsis);
            isCut = true;
        }
        if (found != fillings.end())
            found->words << words;
        else
            fillings.push_back({number, words});
    }
    return fillings;
}

QStringList wordsOf(const std::vector<Filling>& fillings, int number) {
    for (const Filling& filling : fillings)
        if (filling.number == number) return filling.words;
    return {};
}

/// The longest common subsequence of words is what both sides have.
SampleText::Span compared(int number, const QStringList& filled, const QStringList& truth) {
    SampleText::Span span{number, {}, {}};
    for (const QString& word : filled) span.filled.push_back({word});
    for (const QString& word : truth) span.truth.push_back({word});
    const std::size_t n = span.filled.size();
    const std::size_t m = span.truth.size();
    std::vector<std::vector<int>> longest(n + 1, std::vector<int>(m + 1, 0));
    for (std::size_t i = n; i-- > 0;)
        for (std::size_t j = m; j-- > 0;)
            longest[i][j] = span.filled[i].text == span.truth[j].text
                                ? longest[i + 1][j + 1] + 1
                                : std::max(longest[i + 1][j], longest[i][j + 1]);
    for (std::size_t i = 0, j = 0; i < n && j < m;) {
        if (span.filled[i].text == span.truth[j].text) {
            span.filled[i++].same = true;
            span.truth[j++].same = true;
        } else {
            longest[i + 1][j] >= longest[i][j + 1] ? ++i : ++j;
        }
    }
    return span;
}

}  // namespace

bool SampleText::Span::same() const {
    const auto isSame = [](const Word& word) { return word.same; };
    return std::all_of(filled.begin(), filled.end(), isSame) &&
           std::all_of(truth.begin(), truth.end(), isSame);
}

int SampleText::Span::sameWords() const {
    return static_cast<int>(
        std::count_if(truth.begin(), truth.end(), [](const Word& word) { return word.same; }));
}

int SampleText::right() const {
    return static_cast<int>(
        std::count_if(spans.begin(), spans.end(), [](const Span& span) { return span.same(); }));
}

QString harmlessText(std::string_view text, qsizetype most) {
    const auto bytes = std::min(static_cast<qsizetype>(text.size()), 4 * most + 4);
    const auto characters = QString::fromUtf8(text.data(), bytes).toUcs4();
    QString result;
    for (const uint c : characters) {
        if (result.size() >= most) return result + kEllipsis;
        result += shown(static_cast<char32_t>(c));
    }
    return result;
}

SampleText readSample(const core::SampleEvent& sample) {
    SampleText read;
    const QString input = harmlessText(sample.input, kMostInput);
    const QString output = harmlessText(sample.filled, kMostOutput);
    const QString wanted = harmlessText(sample.truth, kMostOutput);
    read.isCut =
        input.size() > kMostInput || output.size() > kMostOutput || wanted.size() > kMostOutput;
    read.input = piecesOf(input);
    const std::vector<Filling> filled = fillingsOf(output, read.isCut);
    const std::vector<Filling> truth = fillingsOf(wanted, read.isCut);
    const auto add = [&](int number) {
        const bool known = std::any_of(read.spans.begin(), read.spans.end(),
                                       [&](const auto& span) { return span.number == number; });
        if (known) return;
        if (read.spans.size() >= kMostSpans)
            read.isCut = true;
        else
            read.spans.push_back(compared(number, wordsOf(filled, number), wordsOf(truth, number)));
    };
    for (const SampleText::Piece& piece : read.input)
        if (piece.span >= 0) add(piece.span);
    for (const Filling& filling : filled)  // the marker that ends the last span has no words
        if (!filling.words.isEmpty()) add(filling.number);
    return read;
}

}  // namespace ui
