// SPDX-License-Identifier: Apache-2.0
// Ids and texts against transformers' T5Tokenizer and T5TokenizerFast.
#include "core/data/tokenizer.h"

#include "tests/core/data/tokenizer_helpers.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <thread>

namespace core {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

const Json& cases() {
    static const Json kCases = Json::parse(readTextFile(test::tokenizerFixture("cases.json")));
    return kCases;
}

std::uint32_t crcOf(const Ids& ids) {
    return static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(ids.data()), static_cast<uInt>(4 * ids.size())));
}

std::string longText() {
    std::string text;
    for (int i = 0; i < cases()["long"]["times"].get<int>(); ++i)
        text += cases()["long"]["text"].get<std::string>();
    return text;
}

void expectReferenceIds(const Tokenizer& tokenizer, const std::string& name) {
    for (const Json& one : cases()["cases"]) {
        const auto text = one["text"].get<std::string>();
        EXPECT_EQ(tokenizer.encode(text), one["ids"][name].get<Ids>()) << name << ": " << text;
    }
    const Ids ids = tokenizer.encode(longText());
    EXPECT_EQ(ids.size(), cases()["long"]["ids"][name]["count"].get<std::size_t>());
    EXPECT_EQ(crcOf(ids), cases()["long"]["ids"][name]["crc32"].get<std::uint32_t>());
}

TEST(Tokenizer, GivesTheIdsOfT5Tokenizer) {
    ASSERT_GE(cases()["cases"].size(), 60U);
    for (const char* name : {"plain", "bytes", "bpe"})
        expectReferenceIds(*Tokenizer::open(test::tokenizerFixture(name)), name);
}

TEST(Tokenizer, GivesTheIdsOfT5TokenizerUnderT5sOwnNormalisation) {
    const ScratchFolder scratch;
    const Path any = scratch.path() / "any.model";
    test::trainQuietly(test::textsOf(test::licence()), {.vocabulary = 200}, any);
    const Path file = test::tokenizerFixture("nmt_nfkc/spiece.model");
    SentencePieceModel model = parseSentencePieceModel(file, readTextFile(file));
    EXPECT_TRUE(model.charsMap.empty());
    model.charsMap = parseSentencePieceModel(any, readTextFile(any)).charsMap;
    EXPECT_GT(model.charsMap.size(), 100000U);
    const Path whole = scratch.path() / "whole.model";
    writeTextFile(whole, serializeSentencePieceModel(model));
    expectReferenceIds(*Tokenizer::open(whole), "nmt_nfkc");
}

TEST(Tokenizer, JsonGivesTheIdsOfTheModelThatItWasMadeFrom) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("fast/tokenizer.json"));
    expectReferenceIds(*tokenizer, "plain");
    const auto model = Tokenizer::open(test::tokenizerFixture("plain"));
    EXPECT_EQ(tokenizer->size(), model->size());
    EXPECT_EQ(tokenizer->description(), model->description());
    for (std::int32_t id = 0; id < model->size(); ++id)
        EXPECT_EQ(tokenizer->piece(id), model->piece(id)) << id;
}

TEST(Tokenizer, LegacyFalseGivesTheIdsOfT5Tokenizer) {
    const ScratchFolder scratch;
    for (const std::string name : {"plain", "bytes"}) {
        std::filesystem::copy(test::tokenizerFixture(name + "/spiece.model"),
                              scratch.path() / "spiece.model",
                              std::filesystem::copy_options::overwrite_existing);
        const Path config = scratch.path() / "tokenizer_config.json";
        writeTextFile(config, R"({"legacy":false})");
        expectReferenceIds(*Tokenizer::open(scratch.path()), name + "_first");
        writeTextFile(config, R"({"legacy":false,"add_prefix_space":false})");
        expectReferenceIds(*Tokenizer::open(scratch.path()), name + "_never");
        writeTextFile(config, R"({"legacy":false,"add_prefix_space":null})");
        expectReferenceIds(*Tokenizer::open(scratch.path()), name + "_never");
        writeTextFile(config, R"({"legacy":true,"add_prefix_space":false})");
        expectReferenceIds(*Tokenizer::open(scratch.path()), name);
    }
}

/// Texts that T5TokenizerFast cuts otherwise than T5Tokenizer, where this program follows the
/// latter: U+2581 in the text, and control characters that only Python takes for white space.
const std::vector<std::string> kDeparting{"\u2581under\u2581score \u2581",
                                          "a\u3000<extra_id_5>\u00a0b\u0085<extra_id_6>\x1c"
                                          "c",
                                          "\u2581</s>\u2581x"};

TEST(Tokenizer, FastTokenizerDepartsFromTheSlowOneInThreeTextsOnly) {
    std::vector<std::string> differing;
    for (const Json& one : cases()["cases"])
        if (one["fast"] != one["ids"]["plain"]) differing.push_back(one["text"]);
    EXPECT_EQ(differing, kDeparting);
}

std::string fastWithScheme(const std::string& scheme) {
    const std::string always = R"("prepend_scheme":"always")";
    std::string json = readTextFile(test::tokenizerFixture("fast/tokenizer.json"));
    for (std::size_t at = json.find(always); at != std::string::npos; at = json.find(always))
        json.replace(at, always.size(), R"("prepend_scheme":")" + scheme + '"');
    return json;
}

TEST(Tokenizer, PrependSchemesGiveTheIdsOfT5TokenizerFast) {
    const ScratchFolder scratch;
    const Path file = scratch.path() / "tokenizer.json";
    for (const std::string scheme : {"first", "never"}) {
        writeTextFile(file, fastWithScheme(scheme));
        const auto tokenizer = Tokenizer::open(file);
        std::vector<std::string> differing;
        for (const Json& one : cases()["cases"])
            if (tokenizer->encode(one["text"].get<std::string>()) !=
                one["fast_" + scheme].get<Ids>())
                differing.push_back(one["text"]);
        EXPECT_EQ(differing, kDeparting) << scheme;
    }
}

TEST(Tokenizer, DecodesAsT5TokenizerDoes) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("plain"));
    std::size_t compared = 0;
    for (const Json& one : cases()["cases"]) {
        if (!one.contains("decoded")) continue;
        EXPECT_EQ(tokenizer->decode(one["ids"]["plain"].get<Ids>()),
                  one["decoded"].get<std::string>())
            << one["text"];
        ++compared;
    }
    EXPECT_GE(compared, 25U);
}

TEST(Tokenizer, ByteFallbackComesBackWhole) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("bytes"));
    const std::string text = "fox \U0001F600 \u1E97 \U0002070E end";
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
}

TEST(Tokenizer, KnowsItsSizesAndSpecialIds) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("plain"));
    EXPECT_EQ(tokenizer->size(), 700);
    EXPECT_EQ(tokenizer->sentinels(), 100);
    EXPECT_EQ(tokenizer->sentinel(0), 699);
    EXPECT_EQ(tokenizer->sentinel(99), 600);
    EXPECT_EQ(tokenizer->pad(), 0);
    EXPECT_EQ(tokenizer->eos(), 1);
    EXPECT_EQ(tokenizer->unknown(), 2);
    EXPECT_EQ(tokenizer->description(), "SentencePiece unigram, 600 pieces and 100 sentinels");
    EXPECT_EQ(tokenizer->file(), test::tokenizerFixture("plain/spiece.model"));
    EXPECT_EQ(tokenizer->piece(650), "<extra_id_49>");
    EXPECT_EQ(Tokenizer::open(test::tokenizerFixture("bpe"))->description(),
              "SentencePiece BPE, 500 pieces and 100 sentinels");
}

TEST(Tokenizer, LeavesOutPadEosAndWhatIsNoId) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("plain"));
    Ids ids{0, -1, 700, 1 << 30};
    EXPECT_EQ(tokenizer->decode(ids), "");
    for (const std::int32_t id : tokenizer->encode("the License")) ids.push_back(id);
    ids.insert(ids.end(), {1, 699, 0});
    EXPECT_EQ(tokenizer->decode(ids), "the License <extra_id_0>");
}

TEST(Tokenizer, ConfigBesideTheModelSaysHowManySentinels) {
    const ScratchFolder scratch;
    std::filesystem::copy(test::tokenizerFixture("plain/spiece.model"),
                          scratch.path() / "sentencepiece.model");
    const Path config = scratch.path() / "tokenizer_config.json";
    writeTextFile(config, R"({"extra_ids":3,"added_tokens_decoder":{)"
                          R"("602":{"content":"<extra_id_0>","lstrip":false,"rstrip":false}}})");
    const auto tokenizer = Tokenizer::open(scratch.path());
    EXPECT_EQ(tokenizer->size(), 603);
    EXPECT_EQ(tokenizer->sentinel(0), 602);
    const Ids all = tokenizer->encode("<extra_id_2>  <extra_id_0> .");
    EXPECT_EQ(all.front(), 600);
    EXPECT_EQ(std::count(all.begin(), all.end(), 602), 1);
    writeTextFile(config, R"({"extra_ids":0})");
    EXPECT_EQ(Tokenizer::open(scratch.path())->sentinels(), 0);
}

TEST(Tokenizer, EncodesTheSameFromManyThreads) {
    const auto tokenizer = Tokenizer::open(test::tokenizerFixture("bytes"));
    const std::string text = longText();
    const Ids expected = tokenizer->encode(text);
    std::vector<Ids> found(4);
    std::vector<std::thread> threads;
    for (Ids& ids : found)
        threads.emplace_back([&] {
            for (int i = 0; i < 5; ++i) ids = tokenizer->encode(text);
        });
    for (std::thread& thread : threads) thread.join();
    for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace core
