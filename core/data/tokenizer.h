// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Sentinels behind the pieces of a SentencePiece model that says nothing of them.
constexpr std::int32_t kUsualSentinels = 100;

/// Text to token ids and back, as transformers' `T5Tokenizer` does it, legacy or not.
/// Immutable and safe to use from many threads at once.
class Tokenizer {
  public:
    Tokenizer(const Tokenizer&) = delete;
    Tokenizer& operator=(const Tokenizer&) = delete;
    virtual ~Tokenizer() = default;

    /// A file (SentencePiece's `*.model`, transformers' `tokenizer.json` of type Unigram) or a
    /// folder that findIn knows. `tokenizer_config.json` beside a model says how many sentinels
    /// follow its pieces (`extra_ids`, kUsualSentinels where it is silent) and which pieces of a
    /// text get a space before them (`legacy`, `add_prefix_space`). BadInput names the file and
    /// what is wrong with it.
    static std::shared_ptr<const Tokenizer> open(const Path& path);

    /// The tokenizer's file in a folder: spiece.model, sentencepiece.model, spm.model or
    /// tokenizer.json, in this order; empty when there is none.
    static std::optional<Path> findIn(const Path& folder);

    /// Token ids of UTF-8 text, without an end of sequence. `<extra_id_N>`, `<pad>`, `</s>` and
    /// `<unk>` in the text become their ids. Invalid UTF-8 is the caller's to replace.
    virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;

    /// Text of token ids: sentinels as `<extra_id_N>` with a space to either side, pad and end of
    /// sequence left out, ids outside [0, size) as nothing.
    virtual std::string decode(std::span<const std::int32_t> ids) const = 0;

    /// What an id stands for, with U+2581 for a space; id in [0, size).
    virtual std::string piece(std::int32_t id) const = 0;

    /// Number of ids, sentinels included.
    virtual std::int64_t size() const = 0;
    virtual std::int32_t pad() const = 0;
    virtual std::int32_t eos() const = 0;
    virtual std::int32_t unknown() const = 0;
    /// How many sentinels there are (100 in T5).
    virtual std::int32_t sentinels() const = 0;
    /// Id of `<extra_id_n>`, n in [0, sentinels): number 0 has the highest id, the rest descend.
    std::int32_t sentinel(std::int32_t n) const;

    /// "SentencePiece unigram, 32,000 pieces and 100 sentinels".
    virtual std::string description() const = 0;

    /// The file that was opened.
    const Path& file() const noexcept { return file_; }

  protected:
    /// `firstSentinel`: id of `<extra_id_0>`.
    Tokenizer(Path file, std::int32_t firstSentinel)
        : file_(std::move(file)), firstSentinel_(firstSentinel) {}

  private:
    Path file_;
    std::int32_t firstSentinel_;
};

}  // namespace core
