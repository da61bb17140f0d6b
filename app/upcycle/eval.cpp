// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
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
    std::int64_t batch = 0;
    std::int64_t examples = 0;
    ComputeOptions compute;
    bool json = false;
};

struct Metrics {
    bool loss = false, accuracy = false;
    std::vector<std::int64_t> shots;
};

constexpr int kDraws = 5;

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
        else if (word.starts_with(kFewShot) &&
                 std::from_chars(word.data() + kFewShot.size(), end, shots).ptr == end &&
                 shots > 0 && shots <= 10000)
            metrics.shots.push_back(shots);
        else
            usage(fmt::format("--metrics {} is not known", core::printable(word)),
                  "give loss, accuracy and fewshot:N, separated by commas");
    }
    if (!metrics.loss && !metrics.accuracy && metrics.shots.empty())
        usage("--metrics is empty", "give loss, accuracy and fewshot:N, separated by commas");
    return metrics;
}

core::Split splitOf(const Options& options) {
    if (!options.split.empty())
        return wordOption("--split", options.split, core::splitFromName,
                          "train, validation or test");
    const std::vector<core::Split> splits = core::splitsOf(options.data);
    const bool test = std::find(splits.begin(), splits.end(), core::Split::Test) != splits.end();
    return test ? core::Split::Test : core::evaluationSplit(options.data);
}

core::EvalResult evaluate(core::Model& model, const std::shared_ptr<const core::ImageDataset>& data,
                          const core::LoaderOptions& options) {
    Progress progress("evaluating");
    const double total = static_cast<double>(data->size());
    const auto result = core::evaluateInPieces(model, data, options, {}, [&](std::int64_t done) {
        progress.update(static_cast<double>(done), total);
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

struct Subject {
    core::JobSpec job;
    std::unique_ptr<core::Model> model;
};

Subject open(const Options& options) {
    const core::Path path = core::resolveModel(options.model);
    Subject subject{core::defaultJob(path), nullptr};
    if (!options.data.empty()) subject.job.data = absoluteSource(options.data);
    if (options.batch > 0) subject.job.batch = options.batch;
    const auto checkpoint = openPath(path);
    requireImages(core::readSpec(*checkpoint), options.model);
    subject.model = core::loadModel(*checkpoint, backendFor(options.compute), false);
    return subject;
}

std::shared_ptr<const core::ImageDataset> openSplit(const Subject& subject, core::Split split,
                                                    std::int64_t examples) {
    auto data = core::openImages(subject.job.data, split, core::imageShape(subject.model->spec()),
                                 subject.job.seed);
    const std::int64_t classes = subject.model->spec().vit.classes;
    if (data->classes() > classes)
        throw core::Error(core::ErrorKind::BadInput,
                          fmt::format("{} has {} classes, the model distinguishes {}",
                                      data->description(), data->classes(), classes),
                          "choose other data, or another model");
    return examples > 0 ? core::sampleExamples(data, examples, subject.job.seed) : data;
}

int eval(const Options& options) {
    const Metrics metrics = metricsFrom(options.metrics);
    const core::Split split = splitOf(options);
    const Subject subject = open(options);
    core::LoaderOptions loader = core::loaderOptions(subject.job, subject.model->spec());
    loader.augmentation = {};
    loader.shuffle = false;
    loader.dropLast = false;
    const auto data = openSplit(subject, split, options.examples);
    Json document{{"model", options.model},
                  {"data", options.data},
                  {"split", core::splitName(split)},
                  {"examples", data->size()}};
    std::string line = fmt::format("{} images", data->size());
    if (metrics.loss || metrics.accuracy) {
        const core::EvalResult result = evaluate(*subject.model, data, loader);
        if (metrics.loss) document["loss"] = numberOrNull(result.loss);
        if (metrics.accuracy) document["accuracy"] = result.accuracy;
        document["seconds"] = result.seconds;
        if (!result.routers.empty()) document["routers"] = routersJson(result.routers);
        if (metrics.loss) line += fmt::format(", loss {:.4f}", result.loss);
        if (metrics.accuracy) line += fmt::format(", accuracy {:.2f} %", 100 * result.accuracy);
    }
    for (const std::int64_t shots : metrics.shots) {
        const auto train = openSplit(subject, core::Split::Train, 0);
        const core::FewShotResult result =
            core::fewShot(*subject.model, *train, *data, loader, shots, kDraws, subject.job.seed);
        document[fmt::format("fewshot:{}", shots)] = result.accuracy;
        line += fmt::format(", {}-shot {:.2f} %", shots, 100 * result.accuracy);
    }
    if (options.json)
        printJson(document);
    else
        printLine(line);
    return 0;
}

}  // namespace

Command addEval(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app =
        root.add_subcommand("eval", "Loss, accuracy and few-shot accuracy on a dataset");
    app->add_option("MODEL", options->model, "Checkpoint, RUN or RUN@STEP")->required();
    app->add_option("--data", options->data,
                    "fashion-mnist[:DIR], idx:DIR, images:DIR or synthetic:images=HxWxC,classes=N")
        ->required();
    app->add_option("--split", options->split, "train, validation or test [test]");
    app->add_option("--metrics", options->metrics, "loss, accuracy, fewshot:N [loss,accuracy]");
    app->add_option("--batch", options->batch, "Images at once [as in training, else 128]")
        ->check(CLI::Range(1, 1 << 20));
    app->add_option("--examples", options->examples, "Only so many images, 0 = all [0]")
        ->check(CLI::NonNegativeNumber);
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer(
        "Example: upcycle eval RUN --data fashion-mnist --metrics loss,accuracy,fewshot:10");
    return {app, [options] { return eval(*options); }};
}

}  // namespace upcycle
