// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/added_tokens.h"
#include "core/data/sentencepiece_model.h"

#include <string_view>
#include <vector>

namespace core {

/// transformers' `tokenizer.json` of model type Unigram, as the SentencePiece model that it was
/// made from.
struct TokenizerJson {
    SentencePieceModel model;
    std::vector<AddedToken> added;
};

/// Reads the text of a `tokenizer.json`: the vocabulary with its scores, the added tokens, the
/// compiled rules of normalisation, and how white space is treated. Where the library that wrote
/// the file departs from SentencePiece (it applies the rules grapheme by grapheme), SentencePiece
/// is followed. BadInput names `path` and what is not known: another model type (BPE, WordPiece,
/// WordLevel), another normaliser, another pre-tokenizer.
TokenizerJson parseTokenizerJson(const Path& path, std::string_view text);

}  // namespace core
