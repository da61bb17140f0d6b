// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace core {

struct TokenizerTraining {
    /// Pieces of the model, `<pad>`, `</s>` and `<unk>` included; sentinels come on top.
    std::int64_t vocabulary = 8000;
    /// 256 of the pieces stand for bytes, so that no character is unknown.
    bool byteFallback = false;
    /// Sentences that are learnt from, drawn evenly from all that come.
    std::int64_t sentences = 1'000'000;
    std::uint64_t seed = 0;
    /// Whether an existing file may be replaced.
    bool replace = false;
};

struct TrainedTokenizer {
    /// Sentences that came, and those learnt from.
    std::int64_t seen = 0, used = 0;
};

/// The next document, any number of lines of UTF-8; empty after the last one.
using NextText = std::function<std::optional<std::string>()>;
/// Called now and then while texts are read, with the sentences seen.
using TokenizerProgress = std::function<void(std::int64_t)>;

/// Trains a unigram model with SentencePiece as T5's was: nmt_nfkc normalisation, pad 0, end of
/// sequence 1, unknown 2, no beginning of sequence. A sentence is a line, longer ones cut at white
/// space into pieces of at most 4096 bytes; `sentences` of them are held in memory (a reservoir
/// sample, Vitter 1985, algorithm R), and the same texts, options and SentencePiece give the same
/// file. `path` appears when it is whole. `cancel` is heard while texts are read, not while
/// SentencePiece computes, and once more before the file appears (Stopped). BadInput where the
/// texts are too few for the vocabulary, or the vocabulary too small for their characters.
TrainedTokenizer trainTokenizer(const NextText& texts, const TokenizerTraining& options,
                                const Path& path, const TokenizerProgress& progress,
                                const std::atomic<bool>& cancel);

}  // namespace core
