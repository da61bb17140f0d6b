// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/data/span_corruption.h"
#include "core/data/text_files.h"
#include "core/data/tokenizer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace core {

/// What is made of texts: T5's two tasks.
enum class TextTask { SpanCorruption, TextToText };

/// How texts become examples; the keys of job.json's "text".
struct TextSpec {
    std::string tokenizer;            ///< file or folder; empty = the model's own
    std::int64_t inputsLength = 512;  ///< tokens, end of sequence included
    std::int64_t targetsLength = 0;   ///< 0 = what span corruption gives, or inputsLength
    SpanCorruption corruption;
    std::int64_t batchTokens =
        0;  ///< most tokens of a batch, padding counted, in place of its examples; 0 = off
    std::string textField = "text";  ///< of a JSONL line, for span corruption
    std::string inputField = "input", targetField = "target";  ///< for text-to-text
    std::string prefix;  ///< before every input; {name} stands for another field of the line
    bool operator==(const TextSpec&) const = default;
};

struct TextLoaderOptions {
    TextSpec text;
    TextTask task = TextTask::SpanCorruption;
    std::shared_ptr<const Tokenizer> tokenizer;  ///< not needed for synthetic tokens
    std::shared_ptr<const TextSource> texts;     ///< the opened source; empty: it is opened
    std::int64_t batch = 32;                     ///< examples
    std::int64_t vocabulary = 0;                 ///< of the model
    std::int32_t pad = 0, decoderStart = 0;
    std::uint64_t seed = 0;
    Split part = Split::Train;
    bool shuffle = true;            ///< false: one pass in order
    std::int64_t mostExamples = 0;  ///< of a pass; 0 = all
};

/// What reading has met so far.
struct TextStatistics {
    std::uint64_t documents = 0;
    std::uint64_t replacedBytes = 0;      ///< of invalid UTF-8
    std::uint64_t truncatedExamples = 0;  ///< inputs or targets longer than asked
};

/// Batches of a text SOURCE, ahead of the trainer on a thread of its own.
///
/// Training reads blocks of about 4 MiB, files in an order drawn per epoch, a block's documents in
/// an order drawn per block. Span corruption joins a block's tokens (nothing between documents, as
/// seqio's reduce_concat_tokens) and cuts them into texts of the length whose inputs come out as
/// asked; what is left of a block is a shorter example when it has at least an eighth of that
/// length. Everything depends on (seed, epoch, place in the files) alone: a position's cursor names
/// a block and the examples already given of it, and going on there needs none of what lies before.
/// Without validation or test folders one document in a hundred (and the first of all) is held out,
/// chosen by seed.
class TextBatchLoader final : public BatchSource {
  public:
    /// BadInput when the source, the lengths or the tokenizer do not fit (checkText tells all).
    TextBatchLoader(const std::string& source, const TextLoaderOptions& options,
                    const DataPosition& start);
    ~TextBatchLoader() override;
    TextBatchLoader(const TextBatchLoader&) = delete;
    TextBatchLoader& operator=(const TextBatchLoader&) = delete;

    std::optional<HostBatch> next() override;
    DataPosition position() const override;
    TextStatistics statistics() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Throws BadInput, in words, when lengths, tokenizer and model do not go together.
void checkText(const TextLoaderOptions& options);

}  // namespace core
