// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/data/text_loader.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr std::int64_t kLongestInputs = std::int64_t{1} << 16U;
constexpr std::int64_t kShortestInputs = 4;

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::BadInput, what, hint);
}

std::int64_t longestTargets(const TextLoaderOptions& options) {
    const TextSpec& text = options.text;
    if (options.task == TextTask::SpanCorruption && isPossible(text.corruption))
        return lengthsForInputs(text.inputsLength, text.corruption).targets;
    return text.targetsLength > 0 ? text.targetsLength : text.inputsLength;
}

void checkLengths(const TextLoaderOptions& options) {
    const TextSpec& text = options.text;
    if (text.inputsLength < kShortestInputs || text.inputsLength > kLongestInputs)
        refuse(fmt::format("text.inputs_length is {}, expected {} to {} tokens", text.inputsLength,
                           kShortestInputs, kLongestInputs),
               "T5 was trained with 512");
    if (text.targetsLength < 0 || text.targetsLength > kLongestInputs || text.targetsLength == 1)
        refuse(fmt::format("text.targets_length is {}, expected 0 or 2 to {} tokens",
                           text.targetsLength, kLongestInputs),
               "0 takes what the task gives");
    const std::int64_t least = text.inputsLength + longestTargets(options);
    if (text.batchTokens > 0 && text.batchTokens < least)
        refuse(fmt::format("text.batch_tokens is {}, but one example has up to {} tokens with its "
                           "targets",
                           text.batchTokens, least),
               fmt::format("give at least {}, or shorter lengths", least));
    if (options.task != TextTask::SpanCorruption) return;
    const SpanCorruption& corruption = text.corruption;
    if (!(corruption.noiseDensity > 0 && corruption.noiseDensity < 1))
        refuse(fmt::format("text.noise_density is {}, expected a share between 0 and 1, both "
                           "excluded",
                           corruption.noiseDensity),
               "T5 was trained with 0.15");
    if (!isPossible(corruption))
        refuse(fmt::format("text.mean_span_length is {}, expected 1 to {} tokens",
                           corruption.meanSpanLength, kLongestMeanSpan),
               "T5 was trained with 3");
    const CorruptedLengths lengths = lengthsForInputs(text.inputsLength, corruption);
    if (text.targetsLength > 0 && text.targetsLength < lengths.targets)
        refuse(fmt::format("text.targets_length is {}, but inputs of {} tokens have targets of {}",
                           text.targetsLength, text.inputsLength, lengths.targets),
               "leave text.targets_length at 0");
    if (options.tokenizer && lengths.spans > options.tokenizer->sentinels())
        refuse(fmt::format("inputs of {} tokens have {} hidden spans, but the tokenizer has {} "
                           "sentinels",
                           text.inputsLength, lengths.spans, options.tokenizer->sentinels()),
               "take shorter inputs, longer spans or less noise");
}

}  // namespace

void checkText(const TextLoaderOptions& options) {
    checkLengths(options);
    if (options.tokenizer && options.tokenizer->size() > options.vocabulary)
        refuse(fmt::format("{} has {} ids with its sentinels, the model's vocabulary {}",
                           options.tokenizer->file().string(), options.tokenizer->size(),
                           options.vocabulary),
               "use the tokenizer that the model was trained with");
}

}  // namespace core
