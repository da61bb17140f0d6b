// SPDX-License-Identifier: Apache-2.0
// Tokenizer files that are cut short, damaged, too large or of another kind.
#include "core/data/protobuf.h"
#include "core/data/tokenizer.h"
#include "tests/core/data/tokenizer_helpers.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <limits>

namespace core {
namespace {

using Json = nlohmann::json;
using Model = SentencePieceModel;

std::string textOf(std::string_view text) { return std::string(text); }

class TokenizerFiles : public testing::Test {
  protected:
    Path path(const std::string& name) const { return scratch_.path() / name; }
    void expectRefused(const std::string& name, const std::vector<std::string>& words) const {
        std::vector<std::string> all = words;
        all.push_back(path(name).string());
        test::expectError([&] { Tokenizer::open(path(name)); }, ErrorKind::BadInput, all);
    }
    void expectBytesRefused(const std::string& bytes, const std::vector<std::string>& words) const {
        writeTextFile(path("spiece.model"), bytes);
        expectRefused("spiece.model", words);
    }
    void expectModelRefused(const std::function<void(Model&)>& spoil,
                            const std::vector<std::string>& words) const {
        Model model = plain();
        spoil(model);
        expectBytesRefused(serializeSentencePieceModel(model), words);
    }
    void expectJsonRefused(const std::function<void(Json&)>& spoil,
                           const std::vector<std::string>& words) const {
        Json json = Json::parse(readTextFile(test::tokenizerFixture("fast/tokenizer.json")));
        spoil(json);
        writeTextFile(path("tokenizer.json"), json.dump());
        expectRefused("tokenizer.json", words);
    }
    static std::string plainBytes() {
        return readTextFile(test::tokenizerFixture("plain/spiece.model"));
    }
    static Model plain() {
        return parseSentencePieceModel(test::tokenizerFixture("plain/spiece.model"), plainBytes());
    }
    ScratchFolder scratch_;
};

TEST_F(TokenizerFiles, ModelCutShortAnywhereIsRefused) {
    const std::string whole = plainBytes();
    for (std::size_t bytes = 0; bytes < whole.size(); bytes += bytes < 64 ? 1 : 97)
        expectBytesRefused(whole.substr(0, bytes), {"SentencePiece model"});
}

TEST_F(TokenizerFiles, EveryDamagedByteIsRefusedOrHarmless) {
    const std::string whole = plainBytes();
    for (std::size_t at = 0; at < whole.size(); at += 41) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ (at % 2 == 0 ? 0x80 : 0x15));
        writeTextFile(path("spiece.model"), damaged);
        try {
            const auto tokenizer = Tokenizer::open(path("spiece.model"));
            for (const std::int32_t id : tokenizer->encode("The \uFF2Cicence, 狐 <extra_id_1> é"))
                EXPECT_TRUE(id >= 0 && id < tokenizer->size()) << at;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::BadInput) << at;
        }
    }
}

TEST_F(TokenizerFiles, OtherFilesAreRefused) {
    expectBytesRefused("", {"no pieces"});
    expectBytesRefused("just some words", {"SentencePiece model"});
    expectBytesRefused(std::string(4096, '\0'), {"SentencePiece model"});
    expectBytesRefused("{\"model\":{}}", {"SentencePiece model"});
    test::expectError([&] { Tokenizer::open(path("missing.model")); }, ErrorKind::BadInput,
                      {"missing.model"});
    test::expectError([&] { Tokenizer::open(scratch_.path() / "."); }, ErrorKind::BadInput, {});
}

TEST_F(TokenizerFiles, HugeFileIsRefusedUnread) {
    writeTextFile(path("spiece.model"), "");
    std::filesystem::resize_file(path("spiece.model"), std::uintmax_t{5} << 30U);
    expectRefused("spiece.model", {"5368709120 bytes", "67108864"});
    writeTextFile(path("tokenizer.json"), "");
    std::filesystem::resize_file(path("tokenizer.json"), std::uintmax_t{5} << 30U);
    expectRefused("tokenizer.json", {"5368709120 bytes"});
}

TEST_F(TokenizerFiles, PiecesThatTheLibraryTakesForGrantedAreChecked) {
    using Type = Model::PieceType;
    expectModelRefused([](Model& m) { m.pieces[9].text = textOf(""); }, {"piece 9", "empty"});
    expectModelRefused([](Model& m) { m.pieces[9].text = m.pieces[8].text; }, {"piece 9", "twice"});
    expectModelRefused([](Model& m) { m.pieces[9].text = std::string("a\0b", 3); },
                       {"piece 9", "a\\x00b"});
    expectModelRefused([](Model& m) { m.pieces[9].text = textOf("\xff"); }, {"piece 9", "UTF-8"});
    expectModelRefused(
        [](Model& m) { m.pieces[9].score = std::numeric_limits<float>::quiet_NaN(); },
        {"piece 9", "not finite"});
    expectModelRefused([](Model& m) { m.pieces[2].type = Type::Normal; }, {"0 unknown pieces"});
    expectModelRefused([](Model& m) { m.pieces[5].type = Type::Unknown; }, {"2 unknown pieces"});
    expectModelRefused([](Model& m) { m.pieces[5].type = Type::Byte; }, {"piece 5", "<0xNN>"});
    expectModelRefused([](Model& m) { m.byteFallback = true; }, {"cannot use"});
    expectModelRefused([](Model& m) { m.pieces[0].text = textOf("<padding>"); }, {"<pad>"});
    expectModelRefused([](Model& m) { m.pieces[1].text = textOf("<end>"); }, {"</s>"});
    expectModelRefused([](Model& m) { m.pieces[9].type = static_cast<Type>(7); },
                       {"piece 9", "type 7"});
    expectModelRefused([](Model& m) { m.pieces[9].text = textOf("<extra_id_3>"); },
                       {"<extra_id_3>"});
}

TEST_F(TokenizerFiles, RulesOfNormalisationMayNotLeadAstray) {
    const auto spoilWord = [](std::size_t at, std::uint32_t word) {
        return [=](Model& m) {
            for (std::size_t i = 0; i < 4; ++i)
                m.charsMap[at + i] = static_cast<char>((word >> (8 * i)) & 0xFFU);
        };
    };
    const std::vector<std::string> words{"rules of normalisation"};
    expectModelRefused([](Model& m) { m.charsMap = textOf("abc"); }, words);
    expectModelRefused([](Model& m) { m.charsMap.resize(m.charsMap.size() / 2); }, words);
    expectModelRefused([](Model& m) { m.charsMap.back() = 'x'; }, words);
    expectModelRefused(spoilWord(0, 0xFFFFFFFFU), words);
    expectModelRefused(spoilWord(4, 0x7FFFFC00U), words);
    expectModelRefused(spoilWord(4 + 4 * 77, 0xFFFFFFFFU), words);
}

TEST_F(TokenizerFiles, OtherJsonModelsAreRefusedByName) {
    for (const char* type : {"BPE", "WordPiece", "WordLevel"})
        expectJsonRefused([&](Json& j) { j["model"]["type"] = type; }, {type, "Unigram"});
    expectJsonRefused([](Json& j) { j["model"].erase("type"); }, {"none", "Unigram"});
    expectJsonRefused([](Json& j) { j = Json::array(); }, {"not a JSON object"});
    expectJsonRefused([](Json& j) { j["normalizer"] = {{"type", "Lowercase"}}; }, {"Lowercase"});
    expectJsonRefused(
        [](Json& j) {
            j["pre_tokenizer"] = {{"type", "ByteLevel"}};
        },
        {"ByteLevel", "Metaspace"});
    expectJsonRefused([](Json& j) { j["pre_tokenizer"]["prepend_scheme"] = "odd"; },
                      {"prepend_scheme odd", "first"});
    expectJsonRefused(
        [](Json& j) {
            Json metaspace = j["pre_tokenizer"];
            metaspace["prepend_scheme"] = "first";
            j["pre_tokenizer"] = {{"type", "Sequence"},
                                  {"pretokenizers", {{{"type", "WhitespaceSplit"}}, metaspace}}};
        },
        {"WhitespaceSplit", "prepend_scheme"});
}

TEST_F(TokenizerFiles, DamagedJsonIsRefused) {
    writeTextFile(path("tokenizer.json"), R"({"model":{"type":"Uni)");
    expectRefused("tokenizer.json", {"not a JSON object"});
    expectJsonRefused([](Json& j) { j["model"]["vocab"] = Json::array(); }, {"model.vocab"});
    expectJsonRefused([](Json& j) { j["model"]["vocab"][7] = 3; }, {"model.vocab[7]"});
    expectJsonRefused([](Json& j) { j["model"]["vocab"][7][1] = 1e300; }, {"not finite"});
    expectJsonRefused([](Json& j) { j["model"]["unk_id"] = 5000; }, {"unk_id"});
    expectJsonRefused([](Json& j) { j["added_tokens"][0]["id"] = -4; }, {"added_tokens[0]"});
    expectJsonRefused([](Json& j) { j["added_tokens"][0]["id"] = 5; },
                      {"added_tokens[0]", "<pad>", "piece 5"});
    expectJsonRefused([](Json& j) { j["added_tokens"][20]["content"] = "<extra_id_7>"; },
                      {"added_tokens[20]", "<extra_id_7>"});
    const auto charsMap = [](const char* text) {
        return
            [text](Json& j) { j["normalizer"]["normalizers"][0]["precompiled_charsmap"] = text; };
    };
    expectJsonRefused(charsMap("?!"), {"base 64"});
    expectJsonRefused(charsMap("AAAA"), {"rules of normalisation"});
    Json deep = {{"type", "Metaspace"}};
    for (int i = 0; i < 200; ++i)
        deep = {{"type", "Sequence"}, {"pretokenizers", Json::array({deep})}};
    expectJsonRefused([&](Json& j) { j["pre_tokenizer"] = deep; }, {"Sequence"});
}

TEST_F(TokenizerFiles, DamagedConfigIsRefused) {
    std::filesystem::copy(test::tokenizerFixture("plain/spiece.model"), path("spiece.model"));
    const auto expectConfigRefused = [&](const char* text, const std::vector<std::string>& words) {
        writeTextFile(path("tokenizer_config.json"), text);
        std::vector<std::string> all = words;
        all.emplace_back("tokenizer_config.json");
        test::expectError([&] { Tokenizer::open(scratch_.path()); }, ErrorKind::BadInput, all);
    };
    expectConfigRefused("[", {"JSON"});
    expectConfigRefused(R"({"extra_ids":-1})", {"extra_ids is -1"});
    expectConfigRefused(R"({"extra_ids":1000000000})", {"100,000"});
    expectConfigRefused(R"({"legacy":"no"})", {"legacy is \"no\""});
    expectConfigRefused(R"({"added_tokens_decoder":[]})", {"added_tokens_decoder"});
    expectConfigRefused(R"({"added_tokens_decoder":{"99999999999":{"content":"x"}}})",
                        {"added_tokens_decoder.99999999999"});
    writeTextFile(path("tokenizer_config.json"),
                  R"({"added_tokens_decoder":{"650":{"content":"<extra_id_7>"}}})");
    expectRefused("spiece.model", {"<extra_id_7>", "650", "692"});
}

TEST(Protobuf, ReadsWhatItWrites) {
    ProtoWriter writer;
    writer.varint(3, 0xFFFFFFFFFFFFFFFFU);
    writer.number(4, 1.5F);
    writer.bytes(500, "abc");
    ProtoReader reader(writer.message());
    EXPECT_EQ(reader.next()->value, 0xFFFFFFFFFFFFFFFFU);
    EXPECT_EQ(reader.next()->value, 0x3FC00000U);
    const auto last = reader.next();
    EXPECT_EQ(last->number, 500U);
    EXPECT_EQ(last->bytes, "abc");
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.ok());
}

TEST(Protobuf, RefusesWhatIsNotWellFormed) {
    using namespace std::string_literals;
    for (const std::string& message : {"\x08"s, "\x0a\x05"s,
                                       "\x0a\x05"
                                       "abcd"s,
                                       "\x0d\x01\x02\x03"s, "\x00\x00"s, "\x0b"s,
                                       "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                       "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s}) {
        ProtoReader reader(message);
        while (reader.next()) {
        }
        EXPECT_FALSE(reader.ok());
    }
}

}  // namespace
}  // namespace core
