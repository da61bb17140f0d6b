// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/eval_generation.h"
#include "app/upcycle/input_batch.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "app/upcycle/signals.h"
#include "core/base/text.h"
#include "core/run/evaluate_in_pieces.h"
#include "core/run/run_directory.h"
#include "core/run/session.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <sstream>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string model, data;
    std::string split;
    std::string metrics = "loss,accuracy";
    std::string tokenizer;
    std::int64_t batch = 0;
    std::int64_t examples = 0;
    std::vector<std::string> assignments;
    GenerationSettings generation;
    ComputeOptions compute;
    bool json = false;
};

struct Metrics {
    bool loss = false, accuracy = false;
    bool exactMatch = false, tokenF1 = false;
    std::vector<std::int64_t> shots;
    bool generates() const { return exactMatch || tokenF1; }
};

constexpr const char* kMetricsHint =
    "give loss, accuracy, fewshot:N, exact_match and token_f1, separated by commas";

constexpr int kDraws = 5;
constexpr std::int64_t kFewExamples = 16;

Metrics metricsFrom(const std::string& text) {
    Metrics metrics;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        constexpr std::string_view kFewShot = "fewshot:";
        std::int64_t shots = 0;
        const char* const end = word.data() + word.size();
        if (word == "loss")
            metrics.loss = true;
        else if (word == "accuracy")
            metrics.accuracy = true;
        else if (word == "exact_match")
            metrics.exactMatch = true;
        else if (word == "token_f1")
            metrics.tokenF1 = true;
        else if (word.starts_with(kFewShot) &&
                 std::from_chars(word.data() + kFewShot.size(), end, shots).ptr == end &&
                 shots > 0 && shots <= 10000)
            metrics.shots.push_back(shots);
        else
            usage(fmt::format("--metrics {} is not known", core::printable(word)), kMetricsHint);
    }
    if (!metrics.loss && !metrics.accuracy && !metrics.generates() && metrics.shots.empty())
        usage("--metrics is empty", kMetricsHint);
    return metrics;
}

core::EvalResult evaluate(core::Model& model, const core::DataPass& pass) {
    Progress progress("evaluating");
    const auto result = core::evaluateInPieces(model, *pass.batches, {}, [&](std::int64_t done) {
        progress.update(static_cast<double>(done), static_cast<double>(pass.examples.value_or(0)),
                        fmt::format("{} examples", done));
        throwIfStopped();
        return true;
    });
    return *result;
}

Json routersJson(const std::vector<core::RouterStats>& routers) {
    Json list = Json::array();
    for (const core::RouterStats& router : routers)
        list.push_back({{"block", router.block},
                        {"load", router.load},
                        {"unrouted", router.unrouted},
                        {"dropped", router.dropped},
                        {"entropy", router.entropy},
                        {"combine_sum", router.combineSum},
                        {"cv", router.cv}});
    return list;
}

std::string examplesText(std::int64_t count) {
    return fmt::format("{} example{}", count, count == 1 ? "" : "s");
}

struct Subject {
    core::JobSpec job;
    std::unique_ptr<core::Model> model;
    std::unique_ptr<core::JobData> data;
};

Subject open(const Options& options) {
    const core::Path path = core::resolveModel(options.model);
    Subject subject{core::defaultJob(path), nullptr, nullptr};
    const auto checkpoint = openPath(path);
    const core::ModelSpec spec = core::readSpec(*checkpoint);
    const std::string kind = options.data.substr(0, options.data.find(':') + 1);
    if (spec.family == core::Family::T5 && !subject.job.data.starts_with(kind))
        subject.job.objective = core::usualObjective(options.data);
    subject.job.data = absoluteSource(options.data);
    if (!options.tokenizer.empty()) subject.job.text.tokenizer = options.tokenizer;
    if (options.batch > 0) subject.job.batch = options.batch;
    for (const std::string& assignment : options.assignments)
        core::setJobField(subject.job, assignment);
    subject.data = core::openJobData(subject.job, spec, checkpoint->folder());
    const Compute compute = computeFor(options.compute);
    subject.model = core::loadModel(*checkpoint, compute.backend, false, compute.dtype);
    return subject;
}

std::shared_ptr<const core::ImageDataset> openSplit(const Subject& subject, core::Split split,
                                                    std::int64_t examples) {
    auto data = core::openImages(subject.job.data, split, core::imageShape(subject.model->spec()),
                                 subject.job.seed);
    return examples > 0 ? core::sampleExamples(data, examples, subject.job.seed) : data;
}

void addFewShot(const Subject& subject, core::Split split, const Options& options,
                std::int64_t shots, Json& document, std::string& line) {
    if (subject.model->spec().family != core::Family::Vit)
        usage(fmt::format("--metrics fewshot:{} is for image models", shots),
              "give loss and accuracy");
    core::LoaderOptions loader = core::loaderOptions(subject.job, subject.model->spec());
    const auto train = openSplit(subject, core::Split::Train, 0);
    const auto data = openSplit(subject, split, options.examples);
    const core::FewShotResult result =
        core::fewShot(*subject.model, *train, *data, core::inOrder(std::move(loader)), shots,
                      kDraws, subject.job.seed);
    document[fmt::format("fewshot:{}", shots)] = result.accuracy;
    line += fmt::format(", {}-shot {:.2f} %", shots, 100 * result.accuracy);
}

void addGeneration(const Subject& subject, core::Split split, const Options& options,
                   const Metrics& metrics, Json& document, std::string& line) {
    const core::GenerationScores scores =
        scoreGeneration(*subject.model, *subject.data, subject.data->pass(split, options.examples),
                        core::textLengths(subject.job).targets, options.generation);
    document["generated"] = scores.examples;
    if (metrics.exactMatch) document["exact_match"] = scores.exactMatch;
    if (metrics.tokenF1) document["token_f1"] = scores.tokenF1;
    document["generation_seconds"] = scores.seconds;
    if (!metrics.loss && !metrics.accuracy) line = examplesText(scores.examples);
    if (metrics.exactMatch) line += fmt::format(", exact match {:.2f} %", 100 * scores.exactMatch);
    if (metrics.tokenF1) line += fmt::format(", token F1 {:.2f} %", 100 * scores.tokenF1);
}

int eval(const Options& options) {
    const Metrics metrics = metricsFrom(options.metrics);
    if (!metrics.generates() && !options.generation.output.empty())
        usage("--output is for generated texts",
              "add --metrics exact_match,token_f1, or leave --output out");
    const Subject subject = open(options);
    const core::Split split = options.split.empty()
                                  ? subject.data->measuredPart()
                                  : wordOption("--split", options.split, core::splitFromName,
                                               "train, validation or test");
    Json document{
        {"model", options.model}, {"data", options.data}, {"split", core::splitName(split)}};
    const bool texts = core::isOfTexts(subject.job.objective);
    if (texts) {
        document["objective"] = core::objectiveName(subject.job.objective);
        document["inputs_length"] = core::textLengths(subject.job).inputs;
    }
    document["batch"] = subject.job.batch;
    std::string line;
    if (metrics.loss || metrics.accuracy) {
        const core::EvalResult result =
            evaluate(*subject.model, subject.data->pass(split, options.examples));
        document["examples"] = result.examples;
        if (metrics.loss) document["loss"] = numberOrNull(result.loss);
        if (metrics.accuracy) document["accuracy"] = result.accuracy;
        document["seconds"] = result.seconds;
        if (!result.routers.empty()) document["routers"] = routersJson(result.routers);
        line = examplesText(result.examples);
        if (options.examples == 0 && result.examples < kFewExamples)
            warn(fmt::format("{} has only {} in its {} part: the numbers say little",
                             core::printable(options.data), examplesText(result.examples),
                             core::splitName(split)));
        if (metrics.loss) line += fmt::format(", loss {:.4f}", result.loss);
        if (metrics.accuracy) line += fmt::format(", accuracy {:.2f} %", 100 * result.accuracy);
    }
    if (metrics.generates()) addGeneration(subject, split, options, metrics, document, line);
    for (const std::int64_t shots : metrics.shots)
        addFewShot(subject, split, options, shots, document, line);
    if (line.starts_with(", ")) line = line.substr(2);
    if (texts)
        line =
            fmt::format("{}, inputs of {} tokens: {}", core::objectiveName(subject.job.objective),
                        core::textLengths(subject.job).inputs, line);
    if (options.json)
        printJson(document);
    else
        printLine(line);
    return 0;
}

}  // namespace

Command addEval(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand(
        "eval", "Loss, accuracy, few-shot accuracy and generated texts on a dataset");
    app->add_option("MODEL", options->model, "Checkpoint, RUN or RUN@STEP")->required();
    app->add_option(
           "--data", options->data,
           "fashion-mnist[:DIR], idx:DIR, images:DIR, text:PATH, jsonl:PATH or synthetic:...")
        ->required();
    app->add_option("--split", options->split,
                    "train, validation or test [test where there is one]");
    app->add_option("--metrics", options->metrics,
                    "loss, accuracy, fewshot:N; of generated texts exact_match and token_f1 (as "
                    "SQuAD: lower case, no punctuation, articles or sentinels) [loss,accuracy]");
    app->add_option("--tokenizer", options->tokenizer,
                    "spiece.model or tokenizer.json [beside the model]");
    app->add_option("--batch", options->batch, "Examples at once [as in training, else 128]")
        ->check(CLI::Range(1, 1 << 20));
    app->add_option("--examples", options->examples, "Only so many examples, 0 = all [0]")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--set", options->assignments,
                    "KEY=VALUE of job.json for reading the data, e.g. text.inputs_length=256")
        ->allow_extra_args(false);
    addGenerationOptions(*app, options->generation);
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer(
        "Example: upcycle eval RUN --data fashion-mnist --metrics loss,accuracy,fewshot:10");
    return {app, [options] { return eval(*options); }};
}

}  // namespace upcycle
