// SPDX-License-Identifier: Apache-2.0
#include "core/data/tokenizer.h"

#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "core/base/text.h"
#include "core/data/text_files.h"
#include "core/data/tokenizer_trainer.h"
#include "core/run/stop_request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::vector<std::string> sources;
    core::TokenizerTraining training;
    std::optional<std::uint64_t> seed;
    std::string output, field = "text";
    std::string model;
    std::optional<std::string> text;
    bool json = false;
};

/// The documents that training a model on the sources would see.
class Documents {
  public:
    Documents(const std::vector<std::string>& sources, std::string field)
        : field_(std::move(field)) {
        for (const std::string& source : sources) {
            const bool named = source.starts_with("text:") || source.starts_with("jsonl:");
            sources_.push_back(core::openTextSource(named ? source : "text:" + source));
        }
    }

    std::optional<std::string> next() {
        for (; source_ < sources_.size(); ++source_, file_ = 0) {
            const core::TextSource& source = sources_[source_];
            for (; file_ < source.train.size(); ++file_, reader_.reset()) {
                if (!reader_)
                    reader_ = std::make_unique<core::DocumentReader>(source.train[file_].path,
                                                                     source.kind);
                if (const auto document = reader_->next())
                    return core::documentText(*document, source, source.train[file_].path, field_);
            }
        }
        return std::nullopt;
    }

  private:
    std::string field_;
    std::vector<core::TextSource> sources_;
    std::size_t source_ = 0, file_ = 0;
    std::unique_ptr<core::DocumentReader> reader_;
};

int train(Options options) {
    options.training.seed = options.seed.value_or(0);
    Documents documents(options.sources, options.field);
    Progress progress("reading");
    const core::TrainedTokenizer trained =
        core::trainTokenizer([&] { return documents.next(); }, options.training, options.output,
                             [&](std::int64_t sentences) {
                                 progress.update(0, 0, core::formatExact(sentences) + " sentences");
                             },
                             core::stopRequested());
    progress.clear();
    const auto tokenizer = core::Tokenizer::open(options.output);
    if (options.json) {
        printJson(Json{{"file", options.output},
                       {"description", tokenizer->description()},
                       {"size", tokenizer->size()},
                       {"sentences_seen", trained.seen},
                       {"sentences_used", trained.used}});
        return 0;
    }
    printLine(fmt::format("{}: {}, learnt from {} of {} sentences", options.output,
                          tokenizer->description(), core::formatExact(trained.used),
                          core::formatExact(trained.seen)));
    return 0;
}

void printText(const core::Tokenizer& tokenizer, const std::vector<std::int32_t>* ids) {
    printLine(fmt::format("{}  ({})", tokenizer.file().string(), tokenizer.description()));
    printLine(fmt::format("{} ids: pad {}, end of sequence {}, unknown {}",
                          core::formatExact(tokenizer.size()), tokenizer.pad(), tokenizer.eos(),
                          tokenizer.unknown()));
    if (tokenizer.sentinels() > 0)
        printLine(fmt::format("sentinels <extra_id_0> {} down to <extra_id_{}> {}",
                              tokenizer.sentinel(0), tokenizer.sentinels() - 1,
                              tokenizer.sentinel(tokenizer.sentinels() - 1)));
    if (ids == nullptr) return;
    for (const std::int32_t id : *ids)
        printLine(fmt::format("  {:>6}  {}", id, core::printable(tokenizer.piece(id))));
    printLine(fmt::format("{} tokens: {}", ids->size(),
                          core::printable(tokenizer.decode(*ids), std::string::npos)));
}

Json toJson(const core::Tokenizer& tokenizer, const std::vector<std::int32_t>* ids) {
    Json document{{"file", tokenizer.file().string()},
                  {"description", tokenizer.description()},
                  {"size", tokenizer.size()},
                  {"pad", tokenizer.pad()},
                  {"eos", tokenizer.eos()},
                  {"unknown", tokenizer.unknown()},
                  {"sentinels", tokenizer.sentinels()}};
    if (ids == nullptr) return document;
    document["ids"] = *ids;
    document["pieces"] = Json::array();
    for (const std::int32_t id : *ids) document["pieces"].push_back(tokenizer.piece(id));
    document["decoded"] = tokenizer.decode(*ids);
    return document;
}

int show(const Options& options) {
    if (options.text && !core::isUtf8(*options.text))
        usage("--text is not UTF-8", "give it in UTF-8");
    const auto tokenizer = core::Tokenizer::open(options.model);
    std::vector<std::int32_t> ids;
    if (options.text) ids = tokenizer->encode(*options.text);
    const auto* shown = options.text ? &ids : nullptr;
    if (options.json)
        printJson(toJson(*tokenizer, shown));
    else
        printText(*tokenizer, shown);
    return 0;
}

void addTrainOptions(CLI::App& app, Options& options) {
    app.add_option(
           "--text", options.sources,
           "Text to learn from: files or folders, plain or gzip (PATH, text:PATH, jsonl:PATH)")
        ->required()
        ->expected(1, -1);
    app.add_option("--field", options.field, "Of a JSONL line [text]");
    app.add_option("--vocab", options.training.vocabulary,
                   "Pieces of the vocabulary; 100 sentinels come on top [8000]");
    app.add_option("-o,--output", options.output, "The model to write (spiece.model)")->required();
    app.add_flag("--byte-fallback", options.training.byteFallback,
                 "Spell what is not in the vocabulary in bytes: no character is unknown");
    app.add_option("--sentences", options.training.sentences,
                   "Learn from this many sentences, drawn evenly [1000000]");
    addSeedOption(app, options.seed, "Seed of that draw [0]");
    app.add_flag("--force", options.training.replace, "Replace an existing model");
    addJsonOption(app, options.json);
    app.footer("Example: upcycle tokenizer train --text books/ --vocab 8000 -o spiece.model");
}

void addShowOptions(CLI::App& app, Options& options) {
    app.add_option("MODEL", options.model,
                   "spiece.model, tokenizer.json, or a folder with one of them")
        ->required();
    app.add_option("--text", options.text, "A text to cut into tokens");
    addJsonOption(app, options.json);
    app.footer("Example: upcycle tokenizer show t5-small --text \"Hello <extra_id_0>\"");
}

}  // namespace

Command addTokenizer(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("tokenizer", "Train a tokenizer of text, or look at one");
    app->require_subcommand(1);
    CLI::App* trainApp = app->add_subcommand("train", "Train a SentencePiece model as T5 has it");
    CLI::App* showApp = app->add_subcommand("show", "Sizes and special ids; tokens of a text");
    addTrainOptions(*trainApp, *options);
    addShowOptions(*showApp, *options);
    app->footer("Example: upcycle tokenizer show t5-small --text \"Hello <extra_id_0>\"");
    return {app, [=] { return trainApp->parsed() ? train(*options) : show(*options); }};
}

}  // namespace upcycle
