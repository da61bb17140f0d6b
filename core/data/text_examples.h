// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/text_blocks.h"

#include <vector>

namespace core {

/// A block's examples.
struct BlockExamples {
    std::vector<TextExample> examples;
    std::uint64_t truncated = 0;  ///< examples cut to the lengths asked for
};

/// Span corruption: the block's tokens in a row, cut into raw texts. Text-to-text: one example a
/// document. BadInput names file and line of a JSONL line that is no object or lacks a field.
BlockExamples examplesOf(const TextBlock& block, TextSource::Kind kind,
                         const TextLoaderOptions& options);

/// Decoder inputs I64 [B, T] of labels [B, T] (on the host): `start`, then the labels but the last,
/// `pad` where one is ignored.
Tensor shiftRight(const Tensor& labels, std::int64_t start, std::int64_t pad);

/// Padded to the longest: see HostBatch. `decoderStart` is the first decoder input.
HostBatch batchOf(const std::vector<TextExample>& examples, std::int32_t pad,
                  std::int32_t decoderStart);

}  // namespace core
