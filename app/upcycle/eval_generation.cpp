// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/eval_generation.h"

#include "app/upcycle/progress.h"
#include "app/upcycle/signals.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

/// The texts as JSON lines, at their name when all are there.
class TextFile {
  public:
    TextFile(const core::Path& path, bool replace)
        : target_(path, core::AtomicTarget::Kind::File, replace),
          file_(core::File::createNew(target_.temporary())) {}

    void add(const core::GeneratedText& text) {
        const Json line{{"input", text.input},           {"generated", text.made},
                        {"target", text.truth},          {"input_ids", text.inputIds},
                        {"generated_ids", text.madeIds}, {"target_ids", text.truthIds}};
        file_.append(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    }
    void commit() {
        file_.close();
        target_.commit();
    }

  private:
    core::AtomicTarget target_;
    core::File file_;
};

}  // namespace

void addGenerationOptions(CLI::App& app, GenerationSettings& settings) {
    core::GenerationOptions& generation = settings.generation;
    app.add_option("--beams", generation.beams, "Beams of a generated text, 1 = greedy [1]")
        ->check(CLI::Range(1, 64));
    app.add_option("--length-penalty", generation.lengthPenalty,
                   "A beam's score is its log probability / length^X [1]")
        ->check(CLI::Range(-10.0, 10.0));
    app.add_option("--max-tokens", generation.maxTokens,
                   "Most tokens of a generated text [the data's target length]")
        ->check(CLI::Range(1, 1 << 16));
    app.add_option(
        "--output", settings.output,
        "File for the texts, one JSON object a line: input, generated, target, and the ids "
        "of each");
    app.add_flag("--force", settings.force, "Replace --output where it exists");
}

core::GenerationScores scoreGeneration(core::Model& model, const core::JobData& data,
                                       const core::DataPass& pass, std::int64_t targetLength,
                                       const GenerationSettings& settings) {
    const auto tokenizer = data.tokenizer();
    if (!tokenizer)
        usage("exact_match and token_f1 are for texts, with a tokenizer",
              "give --metrics loss,accuracy");
    core::GenerationOptions options = settings.generation;
    if (options.maxTokens == 0) options.maxTokens = targetLength;
    std::optional<TextFile> file;
    if (!settings.output.empty()) file.emplace(settings.output, settings.force);
    Progress progress("generating");
    const core::GenerationScores scores = core::scoreGeneration(
        model, *pass.batches, *tokenizer, options,
        [&file](const core::GeneratedText& text) {
            if (file) file->add(text);
        },
        [&](std::int64_t done) {
            progress.update(static_cast<double>(done),
                            static_cast<double>(pass.examples.value_or(0)),
                            fmt::format("{} examples", done));
            throwIfStopped();
            return true;
        });
    progress.clear();
    if (file) file->commit();
    return scores;
}

}  // namespace upcycle
