// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "core/base/text.h"
#include "core/run/device.h"
#include "core/run/run_directory.h"
#include "core/run/session.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kScratch = "scratch:";

struct Options {
    std::string run, model, plan, data, objective, tokenizer, optimizer, schedule, optimizerState;
    std::optional<std::int64_t> steps, batch, warmup, evalEvery, checkpointEvery;
    std::optional<double> epochs, lr, weightDecay, clip;
    std::optional<float> aux, z;
    std::optional<int> keep;
    std::optional<std::uint64_t> seed;
    std::vector<std::string> assignments;
    ComputeOptions compute;
    bool json = false;
};

template <typename T, typename U>
void take(T& into, const std::optional<U>& given) {
    if (given) into = *given;
}

/// What continues the model's own training, or suits a random start.
core::JobSpec startingPoint(const Options& options) {
    if (options.model.starts_with(kScratch)) {
        const core::Path config = options.model.substr(kScratch.size());
        if (config.empty())
            usage("--model scratch: names no file", "for example --model scratch:config.json");
        if (options.optimizerState == "carry")
            usage("--optimizer-state carry: random weights have no moments to carry",
                  "leave --optimizer-state out, or give reset");
        return core::scratchJob(std::filesystem::absolute(config).lexically_normal());
    }
    const core::Path model = core::resolveModel(options.model);
    return core::defaultJob(std::filesystem::absolute(model).lexically_normal());
}

core::ModelSpec trainedSpec(const core::JobSpec& job) {
    if (!job.model.starts_with(kScratch)) return core::readSpec(*core::Checkpoint::open(job.model));
    const std::string config = job.model.substr(kScratch.size());
    return core::specFromConfig(core::readTextFile(config), config);
}

/// The model after the plan; one that is only looked at comes out as it is.
float balanceLoss(const core::JobSpec& job, const core::ModelSpec& spec) {
    core::ModelSpec planned = spec;
    for (core::BlockSpec& block : planned.blocks)
        if (job.plan)
            if (const auto layer = job.plan->layers.find(block.name);
                layer != job.plan->layers.end())
                block.moe = layer->second.moe;
    return core::usualBalanceLoss(planned);
}

/// The optimizer and its state: another kind of optimizer cannot carry the checkpoint's moments.
void chooseOptimizer(core::JobSpec& job, const Options& options) {
    const core::OptimizerKind before = job.trainer.optimizer.kind;
    if (!options.optimizer.empty())
        job.trainer.optimizer.kind = wordOption("--optimizer", options.optimizer,
                                                core::optimizerFromName, "adamw, adafactor or sgd");
    if (!options.optimizerState.empty())
        job.optimizerState = wordOption("--optimizer-state", options.optimizerState,
                                        core::optimizerStateModeFromName, "carry or reset");
    else if (job.trainer.optimizer.kind != before)
        job.optimizerState = core::OptimizerStateMode::Reset;
    if (job.optimizerState == core::OptimizerStateMode::Reset)
        job.trainer.optimizer.stepOffset = job.trainer.schedule.startStep;
    take(job.trainer.optimizer.weightDecay, options.weightDecay);
}

void chooseSchedule(core::JobSpec& job, const Options& options) {
    core::ScheduleSpec& schedule = job.trainer.schedule;
    if (!options.schedule.empty())
        schedule.kind = wordOption("--schedule", options.schedule, core::scheduleFromName,
                                   "constant, rsqrt, cosine or linear");
    take(schedule.lr, options.lr);
    take(schedule.warmup, options.warmup);
}

void chooseRest(core::JobSpec& job, const Options& options, const core::ModelSpec& spec) {
    if (!options.plan.empty())
        job.plan = core::planFromJson(core::readTextFile(options.plan), options.plan);
    if (!options.data.empty()) job.data = absoluteSource(options.data);
    if (job.data.empty()) usage("--data is required", "for example --data fashion-mnist");
    if (!options.objective.empty())
        job.objective = wordOption("--objective", options.objective, core::objectiveFromName,
                                   "classify, span-corruption, text-to-text or causal-lm");
    else if (spec.family == core::Family::T5 && !options.data.empty())
        job.objective = core::usualObjective(options.data);
    if (!options.tokenizer.empty())
        job.text.tokenizer =
            std::filesystem::absolute(options.tokenizer).lexically_normal().string();
    take(job.trainer.steps, options.steps);
    take(job.batch, options.batch);
    take(job.trainer.clip, options.clip);
    take(job.evalEvery, options.evalEvery);
    take(job.checkpointEvery, options.checkpointEvery);
    take(job.keep, options.keep);
    take(job.seed, options.seed);
    if (options.compute.deviceGiven) job.device = options.compute.device;
    if (options.compute.dtypeGiven) job.dtype = dtypeOption("--dtype", options.compute.dtype);
    if (options.compute.threadsGiven) job.threads = options.compute.threads;
}

void chooseLength(core::JobSpec& job, const Options& options, const core::ModelSpec& spec) {
    if (!options.epochs) return;
    if (!(*options.epochs > 0) || *options.epochs > 1e9)
        usage(fmt::format("--epochs {} is not a length", *options.epochs), "give a number above 0");
    const auto data = core::openJobData(job, spec, core::tokenizerFolder(job));
    const std::optional<std::int64_t> examples = data->trainingExamples();
    if (!examples)
        usage("--epochs: only reading all of a text tells how many examples it has",
              "give --steps");
    job.trainer.steps = core::stepsOfEpochs(*options.epochs, *examples, job.batch);
}

core::JobSpec makeJob(const Options& options) {
    core::JobSpec job = startingPoint(options);
    chooseOptimizer(job, options);
    chooseSchedule(job, options);
    const core::ModelSpec spec = trainedSpec(job);
    chooseRest(job, options, spec);
    if (const float weight = balanceLoss(job, spec); weight > 0) job.trainer.loss.aux = weight;
    take(job.trainer.loss.aux, options.aux);
    take(job.trainer.loss.z, options.z);
    for (const std::string& assignment : options.assignments) core::setJobField(job, assignment);
    core::validateNumbers(job, "the job");
    if (spec.family != core::Family::Llama) chooseLength(job, options, spec);
    return job;
}

std::string batchText(const core::JobSpec& job) {
    if (core::isOfTexts(job.objective) && job.text.batchTokens > 0)
        return fmt::format("up to {} tokens", job.text.batchTokens);
    return fmt::format("{} examples", job.batch);
}

int make(const Options& options) {
    if (core::RunDirectory::isRun(options.run))
        throw core::Error(core::ErrorKind::BadInput, options.run + " is a run already",
                          "choose another name for the run, or go on with: upcycle train");
    const core::JobSpec job = makeJob(options);
    const std::vector<std::string> warnings = core::checkJob(job, options.run);
    const core::RunDirectory run = core::RunDirectory::create(options.run, job);
    for (const std::string& warning : warnings) warn(warning);
    if (options.json)
        printJson({{"run", std::filesystem::absolute(run.path()).string()},
                   {"job", Json::parse(core::toJson(job))},
                   {"warnings", warnings}});
    else
        printLine(
            fmt::format("{}: {} steps of {}, {} lr {}, {}. Next: upcycle train {}",
                        run.path().string(), job.trainer.steps, batchText(job),
                        core::scheduleName(job.trainer.schedule.kind), job.trainer.schedule.lr,
                        core::optimizerName(job.trainer.optimizer.kind), run.path().string()));
    return 0;
}

void addTrainingOptions(CLI::App& app, Options& options) {
    app.add_option("--optimizer", options.optimizer,
                   "adamw, adafactor or sgd [the checkpoint's, else adamw]");
    app.add_option("--lr", options.lr, "Learning rate [the checkpoint's, else 1e-4; scratch 1e-3]");
    app.add_option("--schedule", options.schedule,
                   "constant, rsqrt, cosine or linear [the checkpoint's, else constant]");
    app.add_option("--warmup", options.warmup, "Steps of linear warm-up [0]");
    app.add_option("--weight-decay", options.weightDecay, "[the checkpoint's, else 0]");
    app.add_option("--clip", options.clip, "Largest gradient norm, 0 = off [0]");
    app.add_option("--optimizer-state", options.optimizerState,
                   "carry (to every expert) or reset [carry where a ViT's checkpoint has it]");
    app.add_option("--aux", options.aux, "Weight of the balance loss [0.01 with top-k, else 0]");
    app.add_option("--z", options.z, "Weight of the router z-loss [0]");
}

}  // namespace

Command addNew(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app =
        root.add_subcommand("new", "Prepare a training run: check everything, write job.json");
    app->add_option("RUN", options->run, "Folder of the run, made anew")->required();
    app->add_option("--model", options->model,
                    "Checkpoint, RUN or RUN@STEP; or scratch:CONFIG.json for random weights")
        ->required();
    app->add_option("--plan", options->plan, "Upcycle by this plan first");
    app->add_option(
        "--data", options->data,
        "fashion-mnist[:DIR], idx:DIR, images:DIR, text:PATH, jsonl:PATH or synthetic:...");
    app->add_option("--objective", options->objective,
                    "classify, span-corruption or text-to-text [by model and data]");
    app->add_option("--tokenizer", options->tokenizer,
                    "Of texts: spiece.model or tokenizer.json [beside the model]");
    CLI::Option* steps = app->add_option("--steps", options->steps, "Optimizer steps [1000]");
    app->add_option("--epochs", options->epochs, "Passes over the data")->excludes(steps);
    app->add_option("--batch", options->batch, "Examples a step [the checkpoint's, else 128]");
    addTrainingOptions(*app, *options);
    app->add_option("--eval-every", options->evalEvery, "Steps, 0 = at the end only [0]");
    app->add_option("--checkpoint-every", options->checkpointEvery,
                    "Steps, 0 = at the end only [0]");
    app->add_option("--keep", options->keep, "Newest checkpoints kept, 0 = all [3]");
    addSeedOption(*app, options->seed, "Seed of everything random [0]");
    app->add_option("--set", options->assignments,
                    "KEY=VALUE of job.json, e.g. schedule.cooldown=100, augmentation.flip=true")
        ->allow_extra_args(false);
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer(
        "Example: upcycle new run1 --model vit-base --plan plan.json --data fashion-mnist --steps "
        "500 --eval-every 100");
    return {app, [options] { return make(*options); }};
}

}  // namespace upcycle
