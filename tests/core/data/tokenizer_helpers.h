// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error.h"
#include "core/data/sentencepiece_model.h"
#include "core/data/tokenizer.h"
#include "core/data/tokenizer_trainer.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

namespace core::test {

/// tests/reference/make_tokenizer_fixtures.py made them.
inline Path tokenizerFixture(const std::string& name) {
    return Path(UPCYCLER_SOURCE_DIR) / "tests/core/data/fixtures/tokenizer" / name;
}

inline NextText textsOf(std::vector<std::string> texts) {
    return [texts = std::move(texts), at = std::size_t{0}]() mutable -> std::optional<std::string> {
        return at < texts.size() ? std::optional(texts[at++]) : std::nullopt;
    };
}

/// The lines of a text that does not change: the licence.
inline std::vector<std::string> licence() {
    return {readTextFile(Path(UPCYCLER_SOURCE_DIR) / "LICENSES/Apache-2.0.txt")};
}

inline TrainedTokenizer trainQuietly(const NextText& texts, const TokenizerTraining& options,
                                     const Path& path) {
    const std::atomic<bool> cancel{false};
    return trainTokenizer(texts, options, path, {}, cancel);
}

/// Expects `work` to throw an Error of `kind` whose message holds every word and nothing of the
/// library's own, and which says what to do.
template <typename F>
void expectError(F&& work, ErrorKind kind, const std::vector<std::string>& words) {
    testing::internal::CaptureStderr();
    std::string found = "nothing was thrown";
    try {
        work();
    } catch (const Error& error) {
        found = error.what();
        EXPECT_EQ(error.kind(), kind) << found;
        EXPECT_FALSE(error.hint().empty()) << found;
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    for (const std::string& word : words)
        EXPECT_NE(found.find(word), std::string::npos) << found << "\n lacks " << word;
    for (const char* library : {".cc", "INTERNAL", "Internal:", "basic_string"})
        EXPECT_EQ(found.find(library), std::string::npos) << found;
}

}  // namespace core::test
