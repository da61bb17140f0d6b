// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace core::test {

/// The message of the BadInput that `body` throws.
inline std::string refusal(const std::function<void()>& body) {
    return errorOf(ErrorKind::BadInput, body);
}

inline void expectWords(const std::string& text, const std::vector<std::string>& words) {
    for (const std::string& word : words)
        EXPECT_NE(text.find(word), std::string::npos) << text << " lacks " << word;
}

/// `text` with its first `from` made `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace core::test
