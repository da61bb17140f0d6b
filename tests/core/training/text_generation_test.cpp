// SPDX-License-Identifier: Apache-2.0
#include "core/training/text_generation.h"

#include "tests/core/model/small_t5.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace core::test {
namespace {

/// Words "w2" to "w24" and four sentinels: the ids of smallT5.
class Words final : public Tokenizer {
  public:
    explicit Words(std::int32_t unknown = 2) : Tokenizer("words", 28), unknown_(unknown) {}
    std::vector<std::int32_t> encode(std::string_view) const override { return {}; }
    std::string decode(std::span<const std::int32_t> ids) const override {
        std::string text;
        for (const std::int32_t id : ids)
            if (id > 1) text += piece(id) + " ";
        return text;
    }
    std::string piece(std::int32_t id) const override {
        return id >= 25 ? fmt::format("<extra_id_{}>", 28 - id) : fmt::format("w{}", id);
    }
    std::int64_t size() const override { return 29; }
    std::int32_t pad() const override { return 0; }
    std::int32_t eos() const override { return 1; }
    std::int32_t unknown() const override { return unknown_; }
    std::int32_t sentinels() const override { return 4; }
    std::string description() const override { return "words"; }

  private:
    std::int32_t unknown_;
};

class Batches final : public BatchSource {
  public:
    explicit Batches(std::deque<HostBatch> batches) : batches_(std::move(batches)) {}
    std::optional<HostBatch> next() override {
        if (batches_.empty()) return std::nullopt;
        HostBatch batch = std::move(batches_.front());
        batches_.pop_front();
        return batch;
    }
    DataPosition position() const override { return {}; }

  private:
    std::deque<HostBatch> batches_;
};

Tensor ids(const std::vector<std::int64_t>& values) {
    return Tensor::of<std::int64_t>({1, std::ssize(values)}, values);
}

HostBatch batchOf(const std::vector<std::int64_t>& inputs,
                  const std::vector<std::int64_t>& labels) {
    HostBatch batch;
    batch.inputIds = ids(inputs);
    batch.labels = ids(labels);
    return batch;
}

std::vector<std::int64_t> generated(Model& model, const std::vector<std::int64_t>& inputs) {
    Batch batch;
    batch.inputIds = ids(inputs);
    return generate(model, batch, {6, 1, 1.0}).front().tokens;
}

TEST(TextGeneration, TextsOfInputTargetAndWhatWasMade) {
    const auto model = randomT5(smallT5(), 3);
    const std::vector<std::int64_t> inputs{5, 28, 9, 1};
    const auto texts =
        generateTexts(*model, batchOf(inputs, {28, 7, 27, 1, -100}), Words(), {6, 1, 1.0});
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_EQ(texts[0].input, "w5 <extra_id_0> w9 ");
    EXPECT_EQ(texts[0].truth, "<extra_id_0> w7 <extra_id_1> ");
    std::vector<std::int32_t> made;
    for (const std::int64_t id : generated(*model, inputs))
        made.push_back(static_cast<std::int32_t>(id));
    EXPECT_EQ(texts[0].made, Words().decode(made));
    EXPECT_FALSE(texts[0].made.empty());
}

TEST(TextGeneration, ScoresAreMeansOverExamples) {
    const auto model = randomT5(smallT5(), 3);
    const std::vector<std::int64_t> inputs{5, 28, 9, 1};
    const std::vector<std::int64_t> right = generated(*model, inputs);
    std::vector<std::int64_t> wrong(4, 2);
    for (std::int64_t& id : wrong)
        while (std::find(right.begin(), right.end(), id) != right.end()) ++id;
    Batches batches({batchOf(inputs, right), batchOf(inputs, wrong), batchOf(inputs, right)});
    std::vector<std::int64_t> done;
    int seen = 0;
    const GenerationScores scores = scoreGeneration(
        *model, batches, Words(), {6, 1, 1.0}, [&seen](const GeneratedText&) { ++seen; },
        [&done](std::int64_t examples) {
            if (done.empty() || done.back() != examples) done.push_back(examples);
            return true;
        });
    EXPECT_EQ(scores.examples, 3);
    EXPECT_EQ(seen, 3);
    EXPECT_NEAR(scores.exactMatch, 2.0 / 3, 1e-12);
    EXPECT_NEAR(scores.tokenF1, 2.0 / 3, 1e-12);
    EXPECT_EQ(done, (std::vector<std::int64_t>{0, 1, 2}));
}

TEST(TextGeneration, SentinelsAreNoWordsOfF1) {
    const auto model = randomT5(smallT5(), 3);
    const std::vector<std::int64_t> inputs{5, 28, 9, 1};
    std::vector<std::int64_t> labels = generated(*model, inputs);
    labels.insert(labels.begin(), 26);
    Batches batches({batchOf(inputs, labels)});
    const GenerationScores scores = scoreGeneration(
        *model, batches, Words(), {6, 1, 1.0}, [](const GeneratedText&) {},
        [](std::int64_t) { return true; });
    EXPECT_EQ(scores.exactMatch, 0);
    EXPECT_EQ(scores.tokenF1, 1);
}

TEST(TextGeneration, NothingMatchesATargetWhoseTextIsLost) {
    const auto model = randomT5(smallT5(), 3);
    const std::vector<std::int64_t> inputs{5, 28, 9, 1};
    const std::vector<std::int64_t> labels = generated(*model, inputs);
    const auto piece = std::find_if(labels.begin(), labels.end(),
                                    [](std::int64_t id) { return id > 1 && id < 25; });
    ASSERT_NE(piece, labels.end());
    const auto unknown = static_cast<std::int32_t>(*piece);
    std::vector<GeneratedText> texts;
    const auto score = [&](const Tokenizer& tokenizer) {
        Batches batches({batchOf(inputs, labels)});
        return scoreGeneration(
                   *model, batches, tokenizer, {6, 1, 1.0},
                   [&texts](const GeneratedText& text) { texts.push_back(text); },
                   [](std::int64_t) { return true; })
            .exactMatch;
    };
    EXPECT_EQ(score(Words()), 1);
    EXPECT_EQ(score(Words(unknown)), 0);
    EXPECT_EQ(texts[0].inputIds, (std::vector<std::int32_t>{5, 28, 9, 1}));
    EXPECT_EQ(texts[0].truthIds, texts[0].madeIds);
    EXPECT_EQ(std::count(texts[0].truthIds.begin(), texts[0].truthIds.end(), 0), 0);
}

TEST(TextGeneration, EndsWhereItIsTold) {
    const auto model = randomT5(smallT5(), 3);
    Batches batches({batchOf({5, 6, 1}, {7, 1}), batchOf({5, 6, 1}, {7, 1})});
    const GenerationScores scores = scoreGeneration(
        *model, batches, Words(), {6, 1, 1.0}, [](const GeneratedText&) {},
        [](std::int64_t done) { return done == 0; });
    EXPECT_EQ(scores.examples, 1);
}

}  // namespace
}  // namespace core::test
