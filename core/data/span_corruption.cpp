// SPDX-License-Identifier: Apache-2.0
#include "core/data/span_corruption.h"

#include "core/base/error.h"
#include "core/base/random.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

/// To the nearest, halves to even, as numpy and TensorFlow round.
std::int64_t roundEven(double x) { return static_cast<std::int64_t>(std::nearbyint(x)); }

struct Counts {
    std::int64_t noise, kept, spans;
};

Counts countsOf(std::int64_t length, const SpanCorruption& corruption) {
    Counts counts{};
    const double tokens = static_cast<double>(length);
    counts.noise = std::clamp<std::int64_t>(roundEven(tokens * corruption.noiseDensity), 1,
                                            std::max<std::int64_t>(length - 1, 1));
    counts.kept = length - counts.noise;
    const double spans = static_cast<double>(counts.noise) / corruption.meanSpanLength;
    counts.spans = std::clamp<std::int64_t>(
        roundEven(spans), 1, std::min(counts.noise, std::max<std::int64_t>(counts.kept, 1)));
    return counts;
}

/// `items` cut into `segments` parts of at least one, every cut equally likely.
std::vector<std::int64_t> randomSegments(std::int64_t items, std::int64_t segments,
                                         const CounterRandom& random) {
    std::vector<char> begins(static_cast<std::size_t>(items - 1), 0);
    std::fill_n(begins.begin(), segments - 1, 1);
    for (std::size_t i = begins.size(); i > 1; --i)
        std::swap(begins[i - 1], begins[random.below(i, i)]);
    std::vector<std::int64_t> lengths{1};
    for (const char begin : begins) {
        if (begin != 0)
            lengths.push_back(1);
        else
            ++lengths.back();
    }
    return lengths;
}

}  // namespace

CorruptedLengths corruptedLengths(std::int64_t raw, const SpanCorruption& corruption) {
    const Counts counts = countsOf(raw, corruption);
    return {raw, counts.kept + counts.spans + 1, counts.noise + counts.spans + 1, counts.spans};
}

CorruptedLengths lengthsForInputs(std::int64_t inputs, const SpanCorruption& corruption) {
    CORE_CHECK(inputs >= 4, "inputs of at least 4 tokens");
    std::int64_t raw = std::max<std::int64_t>(inputs - 2, 2);
    while (corruptedLengths(raw + 1, corruption).inputs <= inputs) ++raw;
    const CorruptedLengths lengths = corruptedLengths(raw, corruption);
    if (corruption.noiseDensity == 0.5 && lengths.targets > lengths.inputs)
        return corruptedLengths(raw - 1, corruption);  // T5's "minor hack": equal lengths
    return lengths;
}

std::vector<bool> noiseMask(std::int64_t length, const SpanCorruption& corruption,
                            std::uint64_t key) {
    CORE_CHECK(length >= 2, "at least two tokens");
    const Counts counts = countsOf(length, corruption);
    const std::vector<std::int64_t> noise =
        randomSegments(counts.noise, counts.spans, CounterRandom(key, 0));
    const std::vector<std::int64_t> kept =
        randomSegments(counts.kept, counts.spans, CounterRandom(key, 1));
    std::vector<bool> mask;
    for (std::size_t i = 0; i < noise.size(); ++i) {
        mask.insert(mask.end(), static_cast<std::size_t>(kept[i]), false);
        mask.insert(mask.end(), static_cast<std::size_t>(noise[i]), true);
    }
    return mask;
}

TextExample corruptSpans(std::span<const std::int32_t> tokens, const std::vector<bool>& mask,
                         const Tokenizer& tokenizer) {
    CORE_CHECK(mask.size() == tokens.size(), "a mark for each token");
    TextExample example;
    std::int32_t spans = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (mask[i] && (i == 0 || !mask[i - 1])) {
            example.inputs.push_back(tokenizer.sentinel(spans));
            example.targets.push_back(tokenizer.sentinel(spans));
            ++spans;
        }
        (mask[i] ? example.targets : example.inputs).push_back(tokens[i]);
    }
    example.inputs.push_back(tokenizer.eos());
    example.targets.push_back(tokenizer.eos());
    return example;
}

}  // namespace core
