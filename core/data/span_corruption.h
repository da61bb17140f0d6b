// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/tokenizer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace core {

/// How much of a text is hidden (Raffel et al. 2020, section 3.3.4).
struct SpanCorruption {
    double noiseDensity = 0.15;   ///< share of the tokens
    double meanSpanLength = 3.0;  ///< tokens of a hidden span on average
    bool operator==(const SpanCorruption&) const = default;
};

/// Token ids of one example, end of sequence included, without padding.
struct TextExample {
    std::vector<std::int32_t> inputs, targets;
};

/// Lengths that go together, as T5's random_spans_helper finds them.
struct CorruptedLengths {
    std::int64_t raw = 0;      ///< tokens before corruption
    std::int64_t inputs = 0;   ///< with sentinels and end of sequence
    std::int64_t targets = 0;  ///< likewise
    std::int64_t spans = 0;    ///< sentinels used
    bool operator==(const CorruptedLengths&) const = default;
};

/// What `raw` tokens (at least 2) become.
CorruptedLengths corruptedLengths(std::int64_t raw, const SpanCorruption& corruption);

/// The longest raw text whose inputs fit into `inputs` tokens (at least 4): 512 -> raw 568, targets
/// 114. With a density of exactly 0.5, where targets would be longer than inputs, one token less.
/// In double, like T5's random_spans_helper; its noise mask counts in float32, so that eight
/// lengths below 1200 come out one token longer there than its own helper said.
CorruptedLengths lengthsForInputs(std::int64_t inputs, const SpanCorruption& corruption);

/// Which of `length` tokens (at least 2) are hidden, as T5's random_spans_noise_mask draws it:
/// hidden and kept spans take turns, kept first, each cut at random. Depends on (key, length)
/// alone.
std::vector<bool> noiseMask(std::int64_t length, const SpanCorruption& corruption,
                            std::uint64_t key);

/// Inputs: the text with each hidden span replaced by the next sentinel. Targets: each sentinel
/// with the tokens that it hides. Both end with the end of sequence. The tokenizer has a sentinel
/// for each span.
TextExample corruptSpans(std::span<const std::int32_t> tokens, const std::vector<bool>& mask,
                         const Tokenizer& tokenizer);

}  // namespace core
