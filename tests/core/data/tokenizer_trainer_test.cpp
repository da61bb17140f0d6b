// SPDX-License-Identifier: Apache-2.0
#include "core/data/tokenizer_trainer.h"

#include "tests/core/data/tokenizer_helpers.h"

#include <gtest/gtest.h>

#include <set>

namespace core {
namespace {

class TokenizerTrainer : public testing::Test {
  protected:
    Path path(const std::string& name = "spiece.model") const { return scratch_.path() / name; }
    std::size_t files() const {
        const auto all = std::filesystem::directory_iterator(scratch_.path());
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
    ScratchFolder scratch_;
};

TEST_F(TokenizerTrainer, MakesAModelOfT5sKind) {
    testing::internal::CaptureStderr();
    const TrainedTokenizer trained =
        test::trainQuietly(test::textsOf(test::licence()), {.vocabulary = 300}, path());
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_GT(trained.seen, 100);
    EXPECT_EQ(trained.used, trained.seen);
    const auto tokenizer = Tokenizer::open(path());
    EXPECT_EQ(tokenizer->size(), 400);
    EXPECT_EQ(tokenizer->pad(), 0);
    EXPECT_EQ(tokenizer->eos(), 1);
    EXPECT_EQ(tokenizer->unknown(), 2);
    const std::string text = "You may not use this file except in compliance with the License.";
    const auto ids = tokenizer->encode(text);
    EXPECT_LT(ids.size(), text.size() / 2);
    EXPECT_EQ(tokenizer->decode(ids), text);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode("\uFF2C\uFF49cense")), "License");
    EXPECT_EQ(files(), 1U);
}

TEST_F(TokenizerTrainer, ByteFallbackLeavesNothingUnknown) {
    test::trainQuietly(test::textsOf(test::licence()), {.vocabulary = 500, .byteFallback = true},
                       path());
    const auto tokenizer = Tokenizer::open(path());
    const auto ids = tokenizer->encode("\U0001F600 \u72D0");
    EXPECT_EQ(std::count(ids.begin(), ids.end(), tokenizer->unknown()), 0);
    EXPECT_EQ(tokenizer->decode(ids), "\U0001F600 \u72D0");
}

TEST_F(TokenizerTrainer, RepeatsByteForByteAndFollowsTheSeed) {
    TokenizerTraining options{.vocabulary = 120, .sentences = 60, .seed = 5};
    const auto train = [&](const std::string& name) {
        const auto trained =
            test::trainQuietly(test::textsOf(test::licence()), options, path(name));
        EXPECT_EQ(trained.used, 60);
        return readTextFile(path(name));
    };
    const std::string first = train("a"), again = train("b");
    EXPECT_EQ(first, again);
    options.seed = 6;
    EXPECT_NE(train("c"), first);
}

TEST_F(TokenizerTrainer, CutsLongLinesAndDrawsFromThemAll) {
    std::string line;
    for (int i = 0; i < 4000; ++i) line += "word" + std::to_string(i % 97) + " ";
    const std::string solid(20000, 'x');
    const auto trained =
        test::trainQuietly(test::textsOf({line, solid, "\n\n \n"}), {.vocabulary = 40}, path());
    EXPECT_GE(trained.seen, static_cast<std::int64_t>((line.size() + solid.size()) / 4096));
    EXPECT_LT(trained.seen, 16);
}

TEST_F(TokenizerTrainer, RefusesWhatCannotBeTrained) {
    const auto train = [&](std::vector<std::string> texts, const TokenizerTraining& options) {
        return
            [this, texts, options] { test::trainQuietly(test::textsOf(texts), options, path()); };
    };
    test::expectError(train({"a short text", "of two lines"}, {.vocabulary = 8000}),
                      ErrorKind::BadInput, {"8,000", "too large", "2 sentences", "at most"});
    test::expectError(train(test::licence(), {.vocabulary = 20}), ErrorKind::BadInput,
                      {"20", "too small", "characters"});
    test::expectError(train({}, {}), ErrorKind::BadInput, {"no sentence"});
    test::expectError(train({" \n\t\n"}, {}), ErrorKind::BadInput, {"no sentence"});
    test::expectError(train(test::licence(), {.vocabulary = 0}), ErrorKind::Usage, {"0"});
    test::expectError(train(test::licence(), {.vocabulary = 200, .byteFallback = true}),
                      ErrorKind::Usage, {"200", "260"});
    test::expectError(train(test::licence(), {.sentences = 0}), ErrorKind::Usage, {"0 sentences"});
    EXPECT_EQ(files(), 0U);
}

TEST_F(TokenizerTrainer, TakesControlCharactersAndBrokenUtf8) {
    std::vector<std::string> texts = test::licence();
    texts.emplace_back("\x01\x02\x7f");
    texts.emplace_back("bad \xff\xfe\xc0 bytes");
    texts.emplace_back("\u2581 \u2585 <unk> </s> <pad> <extra_id_0>");
    texts.emplace_back(std::string("nul\0nul", 7));
    test::trainQuietly(test::textsOf(texts), {.vocabulary = 300}, path());
    EXPECT_EQ(Tokenizer::open(path())->size(), 400);
}

TEST_F(TokenizerTrainer, ReplacesOnlyWhenTold) {
    writeTextFile(path(), "mine");
    test::expectError(
        [&] { test::trainQuietly(test::textsOf(test::licence()), {.vocabulary = 120}, path()); },
        ErrorKind::BadInput, {"exists already"});
    EXPECT_EQ(readTextFile(path()), "mine");
    test::trainQuietly(test::textsOf(test::licence()), {.vocabulary = 120, .replace = true},
                       path());
    EXPECT_EQ(Tokenizer::open(path())->size(), 220);
}

TEST_F(TokenizerTrainer, ACancelWhileItComputesLeavesNoFile) {
    std::atomic<bool> cancel{false};
    const auto afterReading = [&](std::int64_t) { cancel = true; };
    test::expectError(
        [&] {
            trainTokenizer(test::textsOf(test::licence()), {.vocabulary = 300}, path(),
                           afterReading, cancel);
        },
        ErrorKind::Stopped, {"stopped"});
    EXPECT_TRUE(cancel);
    EXPECT_EQ(files(), 0U);
}

TEST_F(TokenizerTrainer, StopsWhileReading) {
    std::atomic<bool> cancel{false};
    int given = 0;
    const auto endless = [&]() -> std::optional<std::string> {
        cancel = ++given == 10;
        return "one more line";
    };
    test::expectError([&] { trainTokenizer(endless, {}, path(), {}, cancel); }, ErrorKind::Stopped,
                      {"stopped"});
    EXPECT_EQ(given, 10);
    EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace core
