// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace core {

/// A text's words as SQuAD's evaluation compares them (Rajpurkar et al. 2016, evaluate-v1.1): lower
/// case, without ASCII punctuation, without the articles a, an, the. UTF-8.
std::vector<std::string> answerWords(std::string_view text);

/// Harmonic mean of precision and recall of `made`'s words among `truth`'s, in [0, 1]; 1 when both
/// have none.
double tokenF1(std::string_view made, std::string_view truth);

/// Whether both are the same text but for white space around them.
bool isExactMatch(std::string_view made, std::string_view truth);

}  // namespace core
