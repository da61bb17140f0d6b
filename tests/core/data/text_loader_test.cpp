// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_loader.h"

#include "core/data/text_blocks.h"
#include "tests/core/data/data_helpers.h"
#include "tests/core/data/tokenizer_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace core::test {
namespace {

using Ids = std::vector<std::int64_t>;

/// Two files of numbered paragraphs, about 7 MB: several blocks.
class TextLoader : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* name : {"a.txt", "b.txt"}) {
            std::string text;
            for (std::int64_t i = 0; text.size() < 3500000; ++i)
                text += std::string(name) + " number " + std::to_string(i * i) +
                        " is a paragraph of some words about nothing\n\n";
            writeBytes(folder_ / name, text);
        }
        options_.tokenizer = Tokenizer::open(tokenizerFixture("plain"));
        options_.vocabulary = options_.tokenizer->size();
        options_.text.inputsLength = 64;
        options_.batch = 16;
        options_.seed = 3;
    }
    std::string source() const { return "text:" + folder_.path().string(); }

    TemporaryFolder folder_;
    TextLoaderOptions options_;
};

Ids idsOf(const Tensor& tensor) {
    const auto values = tensor.span<std::int64_t>();
    return {values.begin(), values.end()};
}

TEST_F(TextLoader, SpanCorruptionHasTheAskedShape) {
    TextBatchLoader loader(source(), options_, {});
    const std::optional<HostBatch> batch = loader.next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->inputIds.shape(), (Shape{16, 64}));
    EXPECT_EQ(batch->labels.shape(), (Shape{16, 14}));
    const auto* labels = batch->labels.data<std::int64_t>();
    const auto* decoder = batch->decoderInputIds.data<std::int64_t>();
    for (std::int64_t row = 0; row < 16; ++row) {
        EXPECT_EQ(labels[row * 14], options_.tokenizer->sentinel(0));
        EXPECT_EQ(labels[row * 14 + 13], options_.tokenizer->eos());
        EXPECT_EQ(decoder[row * 14], options_.decoderStart);
        for (std::int64_t i = 1; i < 14; ++i)
            EXPECT_EQ(decoder[row * 14 + i], labels[row * 14 + i - 1]);
    }
    for (const std::uint8_t real : batch->inputMask.span<std::uint8_t>()) EXPECT_EQ(real, 1);
}

TEST_F(TextLoader, AResumedStreamIsTheUninterruptedOne) {
    TextBatchLoader whole(source(), options_, {});
    std::vector<DataPosition> positions;
    std::vector<Ids> inputs, labels;
    std::uint64_t epoch = 0;
    while (epoch < 2) {  // through the first epoch's end
        const std::optional<HostBatch> batch = whole.next();
        ASSERT_TRUE(batch);
        inputs.push_back(idsOf(batch->inputIds));
        labels.push_back(idsOf(batch->labels));
        positions.push_back(whole.position());
        if (positions.back().epoch > 0 && inputs.size() > 3 && positions.back().example > 100)
            epoch = 2;
    }
    const std::size_t count = positions.size();
    for (const std::size_t at : {std::size_t{0}, count / 3, count / 2, count - 4}) {
        TextBatchLoader resumed(source(), options_, positions[at]);
        for (std::size_t i = at + 1; i < std::min(at + 3, count); ++i) {
            const std::optional<HostBatch> batch = resumed.next();
            ASSERT_TRUE(batch);
            EXPECT_EQ(idsOf(batch->inputIds), inputs[i]) << at;
            EXPECT_EQ(idsOf(batch->labels), labels[i]) << at;
            EXPECT_EQ(resumed.position(), positions[i]) << at;
        }
    }
}

TEST_F(TextLoader, SeedsAndEpochsDiffer) {
    TextBatchLoader first(source(), options_, {});
    TextBatchLoader later(source(), options_, {1, 0, {}});
    options_.seed = 4;
    TextBatchLoader other(source(), options_, {});
    const Ids ids = idsOf(first.next()->inputIds);
    EXPECT_NE(idsOf(later.next()->inputIds), ids);
    EXPECT_NE(idsOf(other.next()->inputIds), ids);
}

/// The numbers in a JSONL source's inputs that a pass gives.
std::multiset<std::string> inputsOf(const std::string& source, TextLoaderOptions options) {
    options.shuffle = false;
    TextBatchLoader loader(source, options, {});
    std::multiset<std::string> inputs;
    while (const std::optional<HostBatch> batch = loader.next())
        for (std::int64_t row = 0; row < batch->inputIds.size(0); ++row) {
            std::vector<std::int32_t> ids;
            for (const std::int64_t id : batch->inputIds.rows(row, row + 1).span<std::int64_t>())
                ids.push_back(static_cast<std::int32_t>(id));
            inputs.insert(options.tokenizer->decode(ids));
        }
    return inputs;
}

TEST_F(TextLoader, PartsNeverOverlapAndAreWhole) {
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += "{\"input\": \"number " + std::to_string(i) + "\", \"target\": \"a\"}\n";
    writeBytes(folder_ / "pairs.jsonl", text);
    options_.task = TextTask::TextToText;
    options_.tokenizer = Tokenizer::open(tokenizerFixture("bytes"));  // knows every digit
    const std::string pairs = "jsonl:" + (folder_ / "pairs.jsonl").string();
    const std::multiset<std::string> train = inputsOf(pairs, options_);
    options_.part = openTextSource(pairs).heldPart;
    const std::multiset<std::string> held = inputsOf(pairs, options_);
    EXPECT_EQ(train.size() + held.size(), 2000U);
    EXPECT_GE(held.size(), 5U);
    EXPECT_LE(held.size(), 50U);
    for (const std::string& one : held) EXPECT_EQ(train.count(one), 0U);
    EXPECT_EQ(std::set<std::string>(train.begin(), train.end()).size(), train.size());
}

TEST_F(TextLoader, FilesOfOneNameHaveTheirOwnDraws) {
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += "{\"input\": \"number " + std::to_string(i) + "\", \"target\": \"a\"}\n";
    for (const char* part : {"one", "two"}) {
        std::filesystem::create_directories(folder_ / "all" / part);
        writeBytes(folder_ / "all" / part / "pairs.jsonl", text);
    }
    options_.task = TextTask::TextToText;
    options_.tokenizer = Tokenizer::open(tokenizerFixture("bytes"));
    options_.part = Split::Validation;
    const std::multiset<std::string> one =
        inputsOf("jsonl:" + (folder_ / "all/one").string(), options_);
    const std::multiset<std::string> same =
        inputsOf("jsonl:" + (folder_ / "all/two").string(), options_);
    EXPECT_EQ(one, same) << "a folder may move";
    const std::multiset<std::string> both =
        inputsOf("jsonl:" + (folder_ / "all").string(), options_);
    std::set<std::string> different(both.begin(), both.end());
    EXPECT_GT(different.size(), both.size() * 3 / 4) << "not the same lines of both";
}

TEST_F(TextLoader, ASmallTextWithoutBlankLinesTrainsAndIsHeldOut) {
    std::string text;
    for (int i = 0; i < 400; ++i) text += "line " + std::to_string(i) + " of a small text\n";
    writeBytes(folder_ / "small.txt", text);
    const std::string small = "text:" + (folder_ / "small.txt").string();
    for (const Split part : {Split::Train, Split::Validation}) {
        options_.part = part;
        options_.shuffle = false;
        EXPECT_TRUE(TextBatchLoader(small, options_, {}).next()) << splitName(part);
    }
}

TEST_F(TextLoader, ABlockIsBoundedByItsDocumentsToo) {
    std::string text;
    for (int i = 0; i < 150'000; ++i) text += "x\n\n";
    writeBytes(folder_ / "short.txt", text);
    const TextSource source = openTextSource("text:" + (folder_ / "short.txt").string());
    TextBlocks blocks(source, options_, 0, {});
    std::size_t documents = 0;
    int count = 0;
    while (const std::optional<TextBlock> block = blocks.next()) {
        EXPECT_LE(block->documents.size(), std::size_t{1} << 16U);
        documents += block->documents.size();
        ++count;
    }
    EXPECT_EQ(count, 3);
    EXPECT_NEAR(static_cast<double>(documents), 148'500, 500);
}

TEST_F(TextLoader, TextToTextTakesFieldsPrefixAndLengths) {
    writeBytes(folder_ / "pairs.jsonl",
               "{\"q\": \"one\", \"a\": \"two\", \"kind\": \"sum\"}\n"
               "{\"q\": \"a much longer question than fits into the length that is asked for\", "
               "\"a\": \"x\", \"kind\": \"long\"}\n");
    options_.task = TextTask::TextToText;
    options_.text.inputField = "q";
    options_.text.targetField = "a";
    options_.text.prefix = "{kind}: ";
    options_.text.inputsLength = 12;
    options_.shuffle = false;
    std::filesystem::create_directories(folder_ / "parts/train");
    std::filesystem::create_directories(folder_ / "parts/test");
    for (const char* part : {"train", "test"})
        std::filesystem::copy_file(folder_ / "pairs.jsonl",
                                   folder_ / ("parts/" + std::string(part) + "/p.jsonl"));
    TextBatchLoader loader("jsonl:" + (folder_ / "parts").string(), options_, {});
    const std::optional<HostBatch> batch = loader.next();
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->inputIds.size(0), 2);
    EXPECT_EQ(batch->inputIds.size(1), 12);
    std::vector<std::int32_t> expected = options_.tokenizer->encode("sum: one");
    expected.push_back(options_.tokenizer->eos());
    const Ids first = idsOf(batch->inputIds.rows(0, 1));
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(first[i], i < expected.size() ? expected[i] : options_.pad);
        EXPECT_EQ(batch->inputMask.data<std::uint8_t>()[i], i < expected.size() ? 1 : 0);
    }
    EXPECT_EQ(idsOf(batch->inputIds.rows(1, 2)).back(), options_.tokenizer->eos());
    EXPECT_FALSE(loader.next());
    EXPECT_EQ(loader.statistics().truncatedExamples, 1U);
}

TEST_F(TextLoader, BatchesByTokens) {
    options_.text.batchTokens = 400;  // 78 tokens an example
    TextBatchLoader loader(source(), options_, {});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(loader.next()->inputIds.size(0), 5);
}

TEST_F(TextLoader, BadLinesAreNamed) {
    options_.task = TextTask::TextToText;
    const auto refusal = [&](const std::string& text) {
        writeBytes(folder_ / "bad.jsonl", text);
        return errorOf(ErrorKind::BadInput, [&] {
            options_.shuffle = false;
            options_.part = Split::Validation;  // the first line is always held out
            TextBatchLoader loader("jsonl:" + (folder_ / "bad.jsonl").string(), options_, {});
            while (loader.next()) {
            }
        });
    };
    EXPECT_NE(refusal("{\"input\": \"a\"}\n").find("bad.jsonl: line 1 has no field 'target'"),
              std::string::npos);
    EXPECT_NE(refusal("\nnot json\n").find("bad.jsonl: line 2 is not a JSON object"),
              std::string::npos);
    EXPECT_NE(refusal("{\"input\": 3, \"target\": \"a\"}\n").find("'input' that is not a text"),
              std::string::npos);
}

TEST_F(TextLoader, RefusesABatchOfFewerTokensThanOneExample) {
    options_.text.batchTokens = 77;  // 64 and 14
    EXPECT_THROW(checkText(options_), Error);
    options_.text.batchTokens = 78;
    EXPECT_NO_THROW(checkText(options_));
}

TEST_F(TextLoader, RefusesLengthsAndTokenizersThatDoNotFit) {
    const auto refusal = [&] { return errorOf(ErrorKind::BadInput, [&] { checkText(options_); }); };
    options_.vocabulary = 50;
    EXPECT_NE(refusal().find("the model's vocabulary 50"), std::string::npos);
    options_.vocabulary = 100000;
    options_.text.inputsLength = 3;
    EXPECT_NE(refusal().find("text.inputs_length is 3"), std::string::npos);
    options_.text.inputsLength = 4096;
    EXPECT_NE(refusal().find("100 sentinels"), std::string::npos);
    options_.text.inputsLength = 512;
    options_.text.targetsLength = 50;
    EXPECT_NE(refusal().find("have targets of 114"), std::string::npos);
    options_.text.targetsLength = 0;
    options_.text.corruption.noiseDensity = std::nan("");
    EXPECT_NE(refusal().find("text.noise_density is nan"), std::string::npos);
    options_.text.corruption = {0.15, 0.5};
    EXPECT_NE(refusal().find("text.mean_span_length is 0.5"), std::string::npos);
}

TEST_F(TextLoader, TooLittleTextEndsInsteadOfTurning) {
    writeBytes(folder_ / "little.txt", "one\n\ntwo\n");
    TextBatchLoader loader("text:" + (folder_ / "little.txt").string(), options_, {});
    EXPECT_NE(errorOf(ErrorKind::BadInput, [&] { loader.next(); }).find("not enough text"),
              std::string::npos);
}

TEST_F(TextLoader, SyntheticTokensAreUniform) {
    options_.tokenizer = nullptr;
    const std::string source = "synthetic:tokens,vocab=10,inputs=50,targets=7,examples=100";
    TextBatchLoader loader(source, options_, {});
    std::vector<int> counts(10, 0);
    for (int i = 0; i < 6; ++i) {
        const std::optional<HostBatch> batch = loader.next();
        EXPECT_EQ(batch->inputIds.shape(), (Shape{16, 50}));
        EXPECT_EQ(batch->labels.shape(), (Shape{16, 7}));
        for (const std::int64_t id : batch->inputIds.span<std::int64_t>())
            ++counts[static_cast<std::size_t>(id)];
    }
    EXPECT_EQ(counts[0] + counts[1], 0);
    for (std::size_t id = 2; id < 10; ++id) EXPECT_NEAR(counts[id], 600, 150);
    EXPECT_NE(errorOf(ErrorKind::Usage,
                      [&] { TextBatchLoader("synthetic:tokens,vocab=x", options_, {}); })
                  .find("'x'"),
              std::string::npos);
}

}  // namespace
}  // namespace core::test
