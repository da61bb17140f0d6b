// SPDX-License-Identifier: Apache-2.0
#include "core/data/span_corruption.h"

#include "tests/core/data/tokenizer_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace core {
namespace {

struct Known {
    std::int64_t inputs;
    SpanCorruption corruption;
    std::int64_t raw, targets;
};

// Printed by tests/reference/span_lengths.py.
const std::vector<Known> kKnown{
    {512, {0.15, 3.0}, 568, 114},   {128, {0.15, 3.0}, 141, 29}, {256, {0.15, 3.0}, 284, 58},
    {1024, {0.15, 3.0}, 1137, 229}, {64, {0.15, 3.0}, 70, 14},   {512, {0.5, 3.0}, 766, 512},
    {512, {0.15, 8.0}, 588, 100},   {100, {0.3, 2.0}, 116, 54},  {37, {0.15, 3.0}, 40, 9}};

TEST(SpanCorruption, LengthsAreThoseOfT5) {
    for (const Known& known : kKnown) {
        const CorruptedLengths lengths = lengthsForInputs(known.inputs, known.corruption);
        EXPECT_EQ(lengths.raw, known.raw) << known.inputs;
        EXPECT_EQ(lengths.inputs, known.inputs);
        EXPECT_EQ(lengths.targets, known.targets) << known.inputs;
    }
}

std::int64_t spansOf(const std::vector<bool>& mask) {
    std::int64_t spans = 0;
    for (std::size_t i = 0; i < mask.size(); ++i) spans += mask[i] && (i == 0 || !mask[i - 1]);
    return spans;
}

TEST(SpanCorruption, HalfOfTheTokensGivesTargetsNoLongerThanInputs) {
    const SpanCorruption half{0.5, 3.0};
    for (std::int64_t inputs = 16; inputs < 600; ++inputs) {
        const CorruptedLengths lengths = lengthsForInputs(inputs, half);
        EXPECT_LE(lengths.inputs, inputs);
        EXPECT_LE(lengths.targets, lengths.inputs) << inputs;
    }
}

TEST(SpanCorruption, HidesTheAskedShareInTheAskedSpans) {
    for (const std::int64_t length : {2, 3, 5, 17, 141, 568, 1137})
        for (std::uint64_t key = 0; key < 50; ++key) {
            const std::vector<bool> mask = noiseMask(length, {}, key);
            ASSERT_EQ(static_cast<std::int64_t>(mask.size()), length);
            const CorruptedLengths lengths = corruptedLengths(length, {});
            EXPECT_EQ(std::count(mask.begin(), mask.end(), true),
                      lengths.targets - lengths.spans - 1);
            EXPECT_EQ(spansOf(mask), lengths.spans);
            EXPECT_FALSE(mask.front());  // T5's mask begins with a kept span and ends with noise
            EXPECT_TRUE(mask.back());
        }
}

TEST(SpanCorruption, DependsOnTheKeyAlone) {
    EXPECT_EQ(noiseMask(568, {}, 7), noiseMask(568, {}, 7));
    EXPECT_NE(noiseMask(568, {}, 7), noiseMask(568, {}, 8));
}

TEST(SpanCorruption, CutsAreEquallyLikely) {
    // 20 tokens: 3 hidden in one span; 17 kept before it: nothing to draw. 40: 6 hidden in 2 spans,
    // cut at 5 places alike: 5 lengths of the first span; 34 kept, 33 lengths of the first.
    constexpr int kDraws = 20000;
    std::vector<double> first(6, 0.0), kept(34, 0.0);
    for (std::uint64_t key = 0; key < kDraws; ++key) {
        const std::vector<bool> mask = noiseMask(40, {}, key);
        const auto begin = std::find(mask.begin(), mask.end(), true);
        const auto end = std::find(begin, mask.end(), false);
        ++first[static_cast<std::size_t>(end - begin)];
        ++kept[static_cast<std::size_t>(begin - mask.begin())];
    }
    for (std::size_t length = 1; length <= 5; ++length)
        EXPECT_NEAR(first[length], kDraws / 5.0, 6 * std::sqrt(kDraws * 0.2 * 0.8)) << length;
    for (std::size_t length = 1; length <= 33; ++length)
        EXPECT_NEAR(kept[length], kDraws / 33.0, 6 * std::sqrt(kDraws / 33.0)) << length;
}

TEST(SpanCorruption, InputsAndTargetsGiveBackTheText) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("plain"));
    std::vector<std::int32_t> text(568);
    std::iota(text.begin(), text.end(), 3);
    for (std::uint64_t key = 0; key < 20; ++key) {
        const TextExample example = corruptSpans(text, noiseMask(568, {}, key), *tokenizer);
        ASSERT_EQ(example.inputs.size(), 512U);
        ASSERT_EQ(example.targets.size(), 114U);
        EXPECT_EQ(example.inputs.back(), tokenizer->eos());
        EXPECT_EQ(example.targets.back(), tokenizer->eos());
        EXPECT_EQ(example.targets.front(), tokenizer->sentinel(0));
        std::vector<std::int32_t> restored;
        std::int32_t span = 0;
        for (std::size_t i = 0; i + 1 < example.inputs.size(); ++i) {
            if (example.inputs[i] != tokenizer->sentinel(span)) {
                restored.push_back(example.inputs[i]);
                continue;
            }
            auto at = std::find(example.targets.begin(), example.targets.end(),
                                tokenizer->sentinel(span));
            ++span;
            for (++at; at != example.targets.end() - 1 && *at != tokenizer->sentinel(span); ++at)
                restored.push_back(*at);
        }
        EXPECT_EQ(restored, text);
        EXPECT_EQ(span, 28);
    }
}

}  // namespace
}  // namespace core
