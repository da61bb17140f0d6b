// SPDX-License-Identifier: Apache-2.0
// `upcycle tokenizer` on the command line.
#include "core/data/tokenizer.h"

#include "tests/app/workshop.h"

#include <gtest/gtest.h>

namespace upcycle_test {
namespace {

std::string source(const std::string& name) {
    return (core::Path(UPCYCLER_SOURCE_DIR) / name).string();
}

std::string fixture(const std::string& name) {
    return source("tests/core/data/fixtures/tokenizer/" + name);
}

const std::string kLicence = source("LICENSES/Apache-2.0.txt");

class TokenizerTest : public AppTest {};

TEST_F(TokenizerTest, ShowsAModelAndTheTokensOfAText) {
    const Json shown = jsonOf(upcycle(
        {"tokenizer", "show", fixture("plain"), "--text", "the License <extra_id_0>", "--json"}));
    EXPECT_EQ(shown["size"], 700);
    EXPECT_EQ(shown["sentinels"], 100);
    EXPECT_EQ(shown["ids"].back(), 699);
    EXPECT_EQ(shown["pieces"].back(), "<extra_id_0>");
    EXPECT_EQ(shown["pieces"].size(), shown["ids"].size());
    EXPECT_EQ(shown["decoded"], "the License <extra_id_0>");
    const Json fast = jsonOf(upcycle({"tokenizer", "show", fixture("fast/tokenizer.json"), "--text",
                                      "the License <extra_id_0>", "--json"}));
    EXPECT_EQ(fast["ids"], shown["ids"]);
    const Result text = expectDone({"tokenizer", "show", fixture("plain"), "--text", "License"});
    for (const char* word :
         {"600 pieces and 100 sentinels", "700 ids", "<extra_id_0> 699", "tokens: License"})
        EXPECT_NE(text.out.find(word), std::string::npos) << text.out;
}

TEST_F(TokenizerTest, TrainsAModelThatShowTakes) {
    std::filesystem::create_directories(folder() / "texts/deep");
    std::filesystem::copy(kLicence, folder() / "texts/deep/a.txt");
    core::writeTextFile(folder() / "texts/not-text.md", "\u4E00\u4E8C\u4E09");
    const std::string model = path("spiece.model");
    const Json trained = jsonOf(
        expectDone({"tokenizer", "train", "--text", path("texts"), "text:" + kLicence, "--vocab",
                    "400", "--sentences", "200", "--seed", "3", "-o", model, "--json"}));
    EXPECT_EQ(trained["sentences_used"], 200);
    EXPECT_GT(trained["sentences_seen"], 300);
    EXPECT_EQ(trained["size"], 500);
    const Json shown = jsonOf(upcycle({"tokenizer", "show", model, "--json"}));
    EXPECT_EQ(shown["description"], "SentencePiece unigram, 400 pieces and 100 sentinels");
    const std::string first = core::readTextFile(model);
    const std::vector<std::string> again{
        "tokenizer", "train", "--text",      path("texts"), "text:" + kLicence,
        "--vocab",   "400",   "--sentences", "200",         "--seed",
        "3",         "-o",    model};
    expectRefused(upcycle(again), 3, {model, "exists already"});
    std::vector<std::string> forced = again;
    forced.emplace_back("--force");
    const Result result = expectDone(forced);
    EXPECT_NE(result.out.find("learnt from 200 of"), std::string::npos) << result.out;
    EXPECT_EQ(core::readTextFile(model), first);
}

TEST_F(TokenizerTest, ReadsAFileInBlocksWithoutLosingALine) {
    std::string text;
    for (int i = 0; i < 60000; ++i) text += "line " + std::to_string(i) + " of the \u72D0 text\n";
    ASSERT_GT(text.size(), std::size_t{1} << 20U);
    core::writeTextFile(folder() / "long.txt", text);
    const Json trained =
        jsonOf(expectDone({"tokenizer", "train", "--text", path("long.txt"), "--vocab", "40",
                           "--sentences", "500", "-o", path("m.model"), "--json"}));
    EXPECT_EQ(trained["sentences_seen"], 60000);
}

TEST_F(TokenizerTest, RefusesInWords) {
    const std::string model = path("spiece.model");
    const auto train = [&](const std::string& text, const std::string& vocabulary) {
        return upcycle({"tokenizer", "train", "--text", text, "--vocab", vocabulary, "-o", model});
    };
    expectRefused(train(kLicence, "100000"), 3, {"100,000", "too large"});
    expectRefused(train(kLicence, "10"), 3, {"10", "too small"});
    expectRefused(train(path("missing.txt"), "100"), 3, {path("missing.txt")});
    expectRefused(train(folder().string(), "100"), 3, {"holds no files"});
    expectRefused(train(kLicence, "-5"), 2, {"-5"});
    expectRefused(upcycle({"tokenizer"}), 2, {"subcommand"});
    expectRefused(upcycle({"tokenizer", "show", folder().string()}), 3, {"no tokenizer"});
    expectRefused(upcycle({"tokenizer", "show", kLicence}), 3, {kLicence, "SentencePiece model"});
    expectRefused(upcycle({"tokenizer", "show", fixture("plain"), "--text", "\xff"}), 2, {"UTF-8"});
    EXPECT_FALSE(std::filesystem::exists(model));
}

}  // namespace
}  // namespace upcycle_test
