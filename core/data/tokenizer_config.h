// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/added_tokens.h"
#include "core/data/sentencepiece_model.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace core {

/// What `tokenizer_config.json` beside a SentencePiece model adds to it.
struct TokenizerConfig {
    /// Sentinels behind the model's pieces; empty where the file does not say.
    std::optional<std::int32_t> extraIds;
    /// `legacy`, and `add_prefix_space` where that is false. As in transformers, a null
    /// add_prefix_space is none.
    SentencePieceModel::Prefix prefix = SentencePieceModel::Prefix::Model;
    /// `added_tokens_decoder`.
    std::vector<AddedToken> added;
};

/// The configuration beside `model`, empty when there is none. BadInput names the file and the key.
TokenizerConfig readTokenizerConfig(const Path& model);

}  // namespace core
