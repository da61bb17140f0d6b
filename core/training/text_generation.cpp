// SPDX-License-Identifier: Apache-2.0
#include "core/training/text_generation.h"

#include "core/training/device_batch.h"
#include "core/training/text_scores.h"

#include <algorithm>
#include <chrono>
#include <span>

namespace core {
namespace {

/// Without padding and what is no token of the tokenizer: labels that do not count, ids beyond its
/// own.
std::vector<std::int32_t> knownIds(std::span<const std::int64_t> ids, const Tokenizer& tokenizer) {
    std::vector<std::int32_t> known;
    for (const std::int64_t id : ids)
        if (id >= 0 && id < tokenizer.size() && id != tokenizer.pad())
            known.push_back(static_cast<std::int32_t>(id));
    return known;
}

std::span<const std::int64_t> row(const Tensor& ids, std::size_t index) {
    const auto length = static_cast<std::size_t>(ids.size(1));
    return ids.span<std::int64_t>().subspan(index * length, length);
}

/// "<extra_id_N>" left out.
std::string withoutSentinels(std::string_view text) {
    constexpr std::string_view kSentinel = "<extra_id_";
    std::string left;
    while (!text.empty()) {
        const std::size_t at = std::min(text.find(kSentinel), text.size());
        left += text.substr(0, at);
        const std::size_t end = text.find('>', at);
        if (end == std::string_view::npos) break;
        left += ' ';
        text.remove_prefix(end + 1);
    }
    return left;
}

}  // namespace

std::vector<GeneratedText> generateTexts(Model& model, const HostBatch& batch,
                                         const Tokenizer& tokenizer,
                                         const GenerationOptions& options,
                                         const std::function<bool()>& goOn) {
    DeviceBatch deviceBatch(model.backend());
    const std::int64_t examples = batch.inputIds.size(0);
    const std::vector<Generated> made =
        generate(model, deviceBatch.upload(batch, 0, examples), options, goOn);
    std::vector<GeneratedText> texts;
    for (std::size_t i = 0; i < made.size(); ++i) {
        GeneratedText text;
        text.inputIds = knownIds(row(batch.inputIds, i), tokenizer);
        text.madeIds = knownIds(made[i].tokens, tokenizer);
        text.truthIds = knownIds(row(batch.labels, i), tokenizer);
        text.input = tokenizer.decode(text.inputIds);
        text.made = tokenizer.decode(text.madeIds);
        text.truth = tokenizer.decode(text.truthIds);
        texts.push_back(std::move(text));
    }
    return texts;
}

GenerationScores scoreGeneration(Model& model, BatchSource& batches, const Tokenizer& tokenizer,
                                 const GenerationOptions& options,
                                 const std::function<void(const GeneratedText&)>& see,
                                 const std::function<bool(std::int64_t done)>& goOn) {
    const auto begin = std::chrono::steady_clock::now();
    GenerationScores scores;
    double exact = 0;
    double f1 = 0;
    while (const std::optional<HostBatch> batch = batches.next()) {
        const std::vector<GeneratedText> texts =
            generateTexts(model, *batch, tokenizer, options, [&] { return goOn(scores.examples); });
        if (texts.empty()) break;
        for (const GeneratedText& text : texts) {
            see(text);
            const bool whole =
                std::count(text.truthIds.begin(), text.truthIds.end(), tokenizer.unknown()) == 0;
            exact += whole && isExactMatch(text.made, text.truth) ? 1 : 0;
            f1 += tokenF1(withoutSentinels(text.made), withoutSentinels(text.truth));
        }
        scores.examples += std::ssize(texts);
    }
    const double count = scores.examples > 0 ? static_cast<double>(scores.examples) : 1;
    scores.exactMatch = exact / count;
    scores.tokenF1 = f1 / count;
    scores.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return scores;
}

}  // namespace core
