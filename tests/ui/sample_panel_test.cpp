// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/sample_panel.h"

#include "tests/ui/recorded_run.h"

#include <gtest/gtest.h>

#include <QLocale>
#include <QTest>
#include <QTextBlock>
#include <QTextEdit>
#include <QToolButton>

#include <algorithm>

namespace ui {
namespace {

core::SampleEvent party() {
    return {"Thank you <extra_id_0> me to your party <extra_id_1> week.",
            "<extra_id_0> for inviting <extra_id_1> next",
            "<extra_id_0> for inviting <extra_id_1> last <extra_id_2>"};
}

core::SampleEvent oneSpan(const std::string& filled) {
    return {"a <extra_id_0>", "<extra_id_0> " + filled, "<extra_id_0> t"};
}

QString texts(const std::vector<SampleText::Word>& words) {
    QStringList list;
    for (const SampleText::Word& word : words)
        list << (word.same ? QStringLiteral("=") : QString()) + word.text;
    return list.join(QLatin1Char(' '));
}

TEST(SampleText, SpansStandBesideTheirTruth) {
    const SampleText text = readSample(party());
    ASSERT_EQ(text.input.size(), 5U);
    EXPECT_EQ(text.input[0].text, QStringLiteral("Thank you "));
    EXPECT_EQ(text.input[1].span, 0);
    EXPECT_EQ(text.input[3].span, 1);
    EXPECT_EQ(text.input[4].text, QStringLiteral(" week."));
    ASSERT_EQ(text.spans.size(), 2U) << "the marker that ends the truth is no span";
    EXPECT_EQ(texts(text.spans[0].filled), QStringLiteral("=for =inviting"));
    EXPECT_TRUE(text.spans[0].same());
    EXPECT_EQ(texts(text.spans[1].filled), QStringLiteral("next"));
    EXPECT_EQ(texts(text.spans[1].truth), QStringLiteral("last"));
    EXPECT_FALSE(text.spans[1].same());
    EXPECT_EQ(text.right(), 1);
    EXPECT_FALSE(text.isCut);
}

TEST(SampleText, WordsAgreeInTheirOrder) {
    const SampleText text = readSample({"a <extra_id_0> b", "<extra_id_0> on a slow last train",
                                        "<extra_id_0> on the last slow train"});
    ASSERT_EQ(text.spans.size(), 1U);
    EXPECT_EQ(text.spans[0].sameWords(), 3) << "on, one of slow and last, train";
    EXPECT_FALSE(text.spans[0].same());
}

TEST(SampleText, WhatIsMissingOrTooMuchIsSaid) {
    const SampleText none = readSample({"a <extra_id_0> b <extra_id_1>", "", "<extra_id_0> x"});
    ASSERT_EQ(none.spans.size(), 2U);
    EXPECT_TRUE(none.spans[0].filled.empty());
    EXPECT_FALSE(none.spans[0].same());
    EXPECT_TRUE(none.spans[1].same()) << "nothing for nothing";
    const SampleText more = readSample(
        {"a <extra_id_0>", "words first <extra_id_0> x <extra_id_7> y", "<extra_id_0> x"});
    ASSERT_EQ(more.spans.size(), 3U);
    EXPECT_EQ(more.spans[1].number, -1);
    EXPECT_EQ(more.spans[2].number, 7);
    EXPECT_EQ(more.right(), 1);
}

TEST(SampleText, AnyTextIsHarmless) {
    EXPECT_EQ(harmlessText("a\nb\tc", 100), QStringLiteral("a↵ b c"));
    EXPECT_EQ(harmlessText(std::string_view("\0\x1b[31m", 6), 100),
              QStringLiteral("\\x00\\x1b[31m"));
    EXPECT_EQ(harmlessText("\u202eevil", 100), QStringLiteral("\\u202eevil"));
    EXPECT_EQ(harmlessText("\ufdd0", 100), QStringLiteral("\\ufdd0"));
    EXPECT_EQ(harmlessText("שלום", 100), QStringLiteral("שלום"));
    EXPECT_EQ(harmlessText("\xff\xfe", 100), QStringLiteral("\ufffd\ufffd"));
    EXPECT_EQ(harmlessText("<b>&amp;</b>", 100), QStringLiteral("<b>&amp;</b>"));
    const QString cut = harmlessText(std::string(10'000, 'w'), 500);
    EXPECT_EQ(cut.size(), 501);
    EXPECT_EQ(cut.back(), QChar(0x2026));
    EXPECT_FALSE(harmlessText("😀😀", 3).back().isHighSurrogate());
}

TEST(SampleText, TenThousandCharactersAndMarkersAreBounded) {
    std::string input;
    std::string filled;
    for (int i = 0; i < 2000; ++i) {
        input += "w <extra_id_" + std::to_string(i) + "> ";
        filled += "<extra_id_5> again ";
    }
    const SampleText text = readSample({input, filled, std::string(10'000, 'x')});
    EXPECT_TRUE(text.isCut);
    EXPECT_LE(text.spans.size(), 100U);
    for (const SampleText::Span& span : text.spans) EXPECT_LE(span.filled.size(), 500U);
}

class SamplePanelTest : public ::testing::Test {
  protected:
    SamplePanelTest() : panel(nullptr) { panel.resize(840, 220); }
    void add(std::int64_t step, const core::SampleEvent& sample) {
        metrics.apply({1, step, sample});
        panel.refresh(metrics);
    }
    QToolButton& button(const char* name) {
        return *panel.findChild<QToolButton*>(QString::fromLatin1(name));
    }
    void click(const char* name) { QTest::mouseClick(&button(name), Qt::LeftButton); }
    bool spansHave(const char* text) {
        return panel.spansText().contains(QString::fromLatin1(text));
    }

    RunMetrics metrics;
    SamplePanel panel;
};

TEST_F(SamplePanelTest, AnImageRunHasNone) {
    for (const core::Event& event : testing::recordedEvents({})) metrics.apply(event);
    panel.refresh(metrics);
    EXPECT_FALSE(panel.isVisible());
    add(501, party());
    EXPECT_TRUE(panel.isVisible());
}

TEST_F(SamplePanelTest, ShowsInputFillingTruthAndStep) {
    add(1200, party());
    EXPECT_EQ(panel.inputText(), QStringLiteral("Thank you [0] me to your party [1] week."));
    EXPECT_TRUE(panel.stepText().contains(QLocale().toString(1200)));
    for (const char* part : {"[0]", "for inviting", "same", "[1]", "next", "last", "0 of 1 word"})
        EXPECT_TRUE(spansHave(part)) << part << " in " << panel.spansText().toStdString();
}

TEST_F(SamplePanelTest, AgreementIsUnderlinedNotOnlyColoured) {
    add(1, party());
    auto* spans = panel.findChild<QTextEdit*>(QStringLiteral("sample.spans"));
    QStringList underlined;
    for (QTextBlock block = spans->document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (it.fragment().charFormat().fontUnderline()) underlined << it.fragment().text();
    EXPECT_EQ(std::count(underlined.begin(), underlined.end(), QStringLiteral("inviting")), 2);
    EXPECT_FALSE(underlined.contains(QStringLiteral("next")));
    EXPECT_FALSE(underlined.contains(QStringLiteral("last")));
}

TEST_F(SamplePanelTest, EarlierOnesAreReachedAndStayWhileNewOnesCome) {
    for (const auto& [step, word] : {std::pair{100, "f1"}, {200, "f2"}, {300, "f3"}})
        add(step, oneSpan(word));
    EXPECT_TRUE(spansHave("f3"));
    EXPECT_FALSE(button("sample.later").isEnabled());
    click("sample.earlier");
    EXPECT_TRUE(spansHave("f2"));
    add(400, oneSpan("f4"));
    EXPECT_TRUE(spansHave("f2")) << "a person is reading it";
    EXPECT_EQ(panel.stepText(), QStringLiteral("step 200 · 2 of 4"));
    click("sample.earlier");
    EXPECT_FALSE(button("sample.earlier").isEnabled());
    click("sample.newest");
    EXPECT_TRUE(spansHave("f4"));
    add(500, oneSpan("f5"));
    EXPECT_TRUE(spansHave("f5")) << "the newest is followed again";
    click("sample.earlier");
    click("sample.later");
    add(600, oneSpan("f6"));
    EXPECT_TRUE(spansHave("f6")) << "stepping to the newest follows it too";
    for (auto* each : panel.findChildren<QToolButton*>()) {
        EXPECT_FALSE(each->accessibleName().isEmpty());
        EXPECT_EQ(each->focusPolicy(), Qt::StrongFocus);
    }
}

TEST_F(SamplePanelTest, MarkupIsTextAndHostileTextStaysInItsPlace) {
    const std::string marks = "<img src=x> <b>bold</b> \u202e tower \x01 " + std::string(9000, 'm');
    add(1, {marks + " <extra_id_0>", "<extra_id_0> " + marks, "<extra_id_0> <table>"});
    EXPECT_TRUE(panel.inputText().startsWith(
        QStringLiteral("<img src=x> <b>bold</b> \\u202e tower \\x01")));
    EXPECT_LE(panel.inputText().size(), 4001);
    EXPECT_LE(panel.minimumSizeHint().width(), 640);
    EXPECT_LE(panel.sizeHint().height(), 260);
    EXPECT_FALSE(panel.grab().isNull());
}

}  // namespace
}  // namespace ui
