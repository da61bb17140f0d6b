// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/added_tokens.h"
#include "core/data/sentencepiece_model.h"
#include "core/data/tokenizer.h"

namespace core {

/// A tokenizer of a SentencePiece model. `serialized` is the ModelProto that `model` was read from
/// or is written as; `added` are the tokens of the text beside the model's own, whose ids may be
/// pieces of the model (`</s>`) or lie behind them (`<extra_id_0>`). The model has `<pad>`, an end
/// of sequence and an unknown piece; sentinels (`<extra_id_N>`, added or pieces) are numbered from
/// 0 without a gap, with ids that descend. BadInput names `file`.
std::shared_ptr<const Tokenizer> makeSentencePieceTokenizer(Path file,
                                                            const SentencePieceModel& model,
                                                            std::string_view serialized,
                                                            std::vector<AddedToken> added);

/// Number N of "<extra_id_N>"; empty for any other text.
std::optional<std::int32_t> sentinelNumber(std::string_view text);

/// SentencePiece writes to stderr of its own accord: from here on it does not.
void silenceSentencePiece();

}  // namespace core
