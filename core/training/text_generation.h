// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/data/tokenizer.h"
#include "core/model/generation.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace core {

/// An input with what a model generates for it and what its target is: token ids without padding,
/// and as texts, in which hidden spans are `<extra_id_N>` (an unknown piece's text is lost: ids
/// tell more).
struct GeneratedText {
    std::string input, made, truth;
    std::vector<std::int32_t> inputIds, madeIds, truthIds;
};

/// The texts of one batch. Empty when `goOn`, asked before every token, says no.
std::vector<GeneratedText> generateTexts(Model& model, const HostBatch& batch,
                                         const Tokenizer& tokenizer,
                                         const GenerationOptions& options,
                                         const std::function<bool()>& goOn = {});

/// How well the generated texts are those of the data; sentinels count for exact matches alone.
struct GenerationScores {
    std::int64_t examples = 0;
    double exactMatch = 0;  ///< share, in [0, 1]; none where the target has unknown pieces
    double tokenF1 = 0;     ///< mean (text_scores.h)
    double seconds = 0;
};

/// Over one ordered pass of `batches`. `see` gets every text; `goOn` is told the examples done
/// before every token, and false ends it with those.
GenerationScores scoreGeneration(Model& model, BatchSource& batches, const Tokenizer& tokenizer,
                                 const GenerationOptions& options,
                                 const std::function<void(const GeneratedText&)>& see,
                                 const std::function<bool(std::int64_t done)>& goOn);

}  // namespace core
