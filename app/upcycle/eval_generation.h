// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/upcycle/options.h"
#include "core/run/job_data.h"
#include "core/training/text_generation.h"

#include <cstdint>
#include <string>

namespace upcycle {

/// `--beams`, `--length-penalty`, `--max-tokens`, `--output` and `--force`.
struct GenerationSettings {
    core::GenerationOptions generation{0, 1, 1.0};  ///< maxTokens 0 = the data's target length
    std::string output;                             ///< file of the texts, or empty
    bool force = false;                             ///< may take the place of one
};
void addGenerationOptions(CLI::App& app, GenerationSettings& settings);

/// Generates the target of every input of `pass` and compares it with the true one; `targetLength`
/// stands in for --max-tokens. Usage when data or model are no texts. The texts go to --output,
/// which is whole or not there.
core::GenerationScores scoreGeneration(core::Model& model, const core::JobData& data,
                                       const core::DataPass& pass, std::int64_t targetLength,
                                       const GenerationSettings& settings);

}  // namespace upcycle
