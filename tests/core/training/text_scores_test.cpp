// SPDX-License-Identifier: Apache-2.0
#include "core/training/text_scores.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace core::test {
namespace {

/// tests/reference/make_text_score_fixtures.py: transformers' squad_metrics.
TEST(TextScores, AreSquads) {
    std::ifstream file(UPCYCLER_SOURCE_DIR "/tests/core/training/fixtures/text_scores.json");
    const nlohmann::json cases = nlohmann::json::parse(file);
    ASSERT_GE(cases.size(), 20U);
    for (const nlohmann::json& one : cases) {
        SCOPED_TRACE(one.dump());
        const std::string made = one.at("made");
        EXPECT_EQ(answerWords(made), one.at("words").get<std::vector<std::string>>());
        EXPECT_NEAR(tokenF1(made, one.at("truth").get<std::string>()), one.at("f1").get<double>(),
                    1e-12);
    }
}

TEST(TextScores, ExactMatchLooksAtEveryCharacterInside) {
    EXPECT_TRUE(isExactMatch(" yes\n", "yes"));
    EXPECT_TRUE(isExactMatch("", "  "));
    EXPECT_FALSE(isExactMatch("Yes", "yes"));
    EXPECT_FALSE(isExactMatch("the yes", "yes"));
    EXPECT_FALSE(isExactMatch("y es", "yes"));
}

}  // namespace
}  // namespace core::test
