// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/data/text_loader.h"
#include "core/run/job_data.h"

#include <fmt/format.h>

#include <utility>

namespace core {
namespace {

bool isSynthetic(const JobSpec& job) { return job.data.starts_with("synthetic:"); }

TextTask taskOf(Objective objective) {
    return objective == Objective::TextToText ? TextTask::TextToText : TextTask::SpanCorruption;
}

class TextData final : public JobData {
  public:
    TextData(const JobSpec& job, const ModelSpec& spec, const Path& folder) : job_(job) {
        options_.text = job.text;
        options_.task = taskOf(job.objective);
        options_.batch = job.batch;
        options_.vocabulary = spec.t5.vocab;
        options_.pad = static_cast<std::int32_t>(spec.t5.padToken);
        options_.decoderStart = static_cast<std::int32_t>(spec.t5.decoderStartToken);
        options_.seed = job.seed;
        if (!isSynthetic(job))
            options_.tokenizer = Tokenizer::open(
                job.text.tokenizer.empty() ? tokenizerIn(folder) : Path(job.text.tokenizer));
        checkText(options_);
        if (options_.tokenizer && options_.tokenizer->eos() != spec.t5.eosToken)
            throw Error(
                ErrorKind::BadInput,
                fmt::format("{} ends a sequence with the id {}, and the model's eos_token_id is {}",
                            options_.tokenizer->file().string(), options_.tokenizer->eos(),
                            spec.t5.eosToken),
                "use the tokenizer that the model was trained with, or correct its config.json");
        if (isSynthetic(job)) return;
        options_.texts = std::make_shared<const TextSource>(openTextSource(job.data));
    }

    std::unique_ptr<BatchSource> training(const DataPosition& start) override {
        return std::make_unique<TextBatchLoader>(job_.data, options_, start);
    }
    DataPass pass(Split part, std::int64_t examples) override {
        const Split held = watchedPart();
        if (part != Split::Train && part != held)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} has no {} part, only train and {}", job_.data,
                                    splitName(part), splitName(held)),
                        fmt::format("give --split train or --split {}", splitName(held)));
        TextLoaderOptions options = options_;
        options.part = part;
        options.shuffle = false;
        options.mostExamples = examples;
        return {std::make_unique<TextBatchLoader>(job_.data, options, DataPosition{}),
                examples > 0 ? std::optional(examples) : std::nullopt};
    }
    Split watchedPart() const override {
        return options_.texts ? options_.texts->heldPart : Split::Validation;
    }
    Split measuredPart() const override { return watchedPart(); }
    std::optional<std::int64_t> trainingExamples() override { return std::nullopt; }

    std::vector<std::string> check() override {
        // The first document is held out: what is wrong with it is said before what is missing.
        if (!pass(watchedPart(), 1).batches->next() || !training({})->next())
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} has not enough text for one example to train on and one to "
                                    "hold out",
                                    job_.data),
                        "give more text, or shorter inputs: --set text.inputs_length=N");
        return {};
    }
    std::shared_ptr<const Tokenizer> tokenizer() const override { return options_.tokenizer; }

  private:
    static Path tokenizerIn(const Path& folder) {
        if (const std::optional<Path> file = Tokenizer::findIn(folder)) return *file;
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{} holds no tokenizer (spiece.model or tokenizer.json)", folder.string()),
            "name one with --tokenizer FILE, or train one: upcycle tokenizer train");
    }

    JobSpec job_;
    TextLoaderOptions options_;
};

}  // namespace

std::unique_ptr<JobData> openTextData(const JobSpec& job, const ModelSpec& spec,
                                      const Path& folder) {
    if (!isTextSource(job.data))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is no text, and {} models train on texts", job.data,
                                familyName(spec.family)),
                    "give --data text:PATH, jsonl:PATH or synthetic:tokens,...");
    if (job.objective == Objective::TextToText && job.data.starts_with("text:"))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has no pairs of inputs and targets", job.data),
                    "give --data jsonl:PATH for text-to-text, or --objective span-corruption");
    return std::make_unique<TextData>(job, spec, folder);
}

}  // namespace core
