// SPDX-License-Identifier: Apache-2.0
#include "core/run/profile.h"

#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/plan_options.h"
#include "app/upcycle/profile_report.h"
#include "app/upcycle/progress.h"
#include "app/upcycle/signals.h"
#include "core/run/run_directory.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace upcycle {
namespace {

constexpr std::string_view kScratch = "scratch:";

struct Options {
    std::string model, planFile, data, optimizer;
    PlanOptions plan;
    std::optional<std::int64_t> batch, microbatch;
    std::int64_t steps = 5;
    ComputeOptions compute;
    bool recompute = false;
    bool bySizes = false;
    bool json = false;
};

constexpr std::int64_t kFewestImages = 1024;

/// Data that cost nothing and fit the model and the batch.
std::string syntheticData(const core::ModelSpec& spec, std::int64_t batch) {
    if (spec.family == core::Family::T5)
        return fmt::format("synthetic:tokens,vocab={},inputs={},targets={}", spec.t5.vocab,
                           core::kT5InputTokens, core::kT5TargetTokens);
    return fmt::format("synthetic:images={0}x{0}x{1},classes={2},examples={3}", spec.vit.imageSize,
                       spec.vit.channels, spec.vit.classes, std::max(batch, kFewestImages));
}

/// A run's job, on its newest checkpoint where it has one.
core::JobSpec jobOfRun(const std::string& path) {
    const core::RunDirectory run = core::RunDirectory::open(path);
    core::JobSpec job = run.job();
    if (const std::vector<std::int64_t> steps = run.checkpoints(); !steps.empty()) {
        job.model = run.checkpointFolder(steps.back()).string();
        job.plan.reset();
    }
    return job;
}

core::JobSpec jobOfModel(const Options& options) {
    const bool scratch = options.model.starts_with(kScratch);
    const std::string config = scratch ? options.model.substr(kScratch.size()) : std::string();
    core::JobSpec job =
        scratch ? core::scratchJob(config) : core::defaultJob(core::resolveModel(options.model));
    const bool plans = isGiven(options.plan) || !options.planFile.empty();
    if (scratch && plans)
        usage("a plan upcycles a checkpoint, and scratch: has none",
              "put the MoE blocks into CONFIG.json under \"upcycling\"");
    if (scratch) return job;
    if (!options.planFile.empty())
        job.plan = core::planFromJson(core::readTextFile(options.planFile), options.planFile);
    else if (plans)
        job.plan = makePlan(core::readSpec(*core::Checkpoint::open(job.model)), options.plan);
    return job;
}

core::JobSpec jobOf(const Options& options) {
    const bool isRun = core::RunDirectory::isRun(options.model);
    if (isRun && (isGiven(options.plan) || !options.planFile.empty()))
        usage("a run has its own plan", "leave the plan's options out, or give a model");
    core::JobSpec job = isRun ? jobOfRun(options.model) : jobOfModel(options);
    if (options.batch) job.batch = *options.batch;
    std::vector<std::string> warnings;
    const core::ModelSpec spec = core::trainedSpec(job, warnings);
    if (!options.data.empty())
        job.data = absoluteSource(options.data);
    else if (!isRun)
        job.data = syntheticData(spec, job.batch);
    if (spec.family == core::Family::T5 && !(isRun && options.data.empty()))
        job.objective = core::usualObjective(job.data);
    if (!isRun) job.trainer.loss.aux = core::usualBalanceLoss(spec);
    if (!options.optimizer.empty())
        job.trainer.optimizer.kind = wordOption("--optimizer", options.optimizer,
                                                core::optimizerFromName, "adamw, adafactor or sgd");
    if (options.microbatch) job.trainer.microbatch = *options.microbatch;
    job.trainer.recompute = job.trainer.recompute || options.recompute;
    if (options.compute.deviceGiven) job.device = options.compute.device;
    if (options.compute.dtypeGiven) job.dtype = dtypeOption("--dtype", options.compute.dtype);
    if (options.compute.threadsGiven) job.threads = options.compute.threads;
    for (const std::string& text : warnings) warn(text);
    return job;
}

int profile(const Options& options) {
    const core::JobSpec job = jobOf(options);
    core::StepProfile found;
    {
        Progress progress("profiling");
        found = core::profileJob(job, options.steps, [&](std::int64_t done) {
            throwIfStopped();
            progress.update(static_cast<double>(done), static_cast<double>(2 * options.steps + 2));
        });
    }
    if (options.json)
        printJson(profileJson(found, options.bySizes));
    else
        printProfile(found, options.bySizes);
    return 0;
}

}  // namespace

Command addProfile(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand(
        "profile", "Where a training step's time and memory go, op by op, against the floor");
    app->add_option("RUN|MODEL", options->model,
                    "A run (its job), a checkpoint, or scratch:CONFIG.json")
        ->required();
    app->add_option("--data", options->data, "SOURCE as in new [the run's; made up to fit]");
    app->add_option("--steps", options->steps, "Steps measured, whole and op by op [5]")
        ->check(CLI::Range(1, 100000));
    app->add_option("--batch", options->batch, "Examples a step [the run's or checkpoint's]");
    app->add_option("--microbatch", options->microbatch, "Examples at once, 0 = all [0]");
    app->add_flag("--recompute", options->recompute, "Keep less for backward, compute it again");
    app->add_option("--optimizer", options->optimizer, "adamw, adafactor or sgd [the job's]");
    app->add_flag("--sizes", options->bySizes, "A line for every size of tensors");
    CLI::Option* plan = app->add_option("--plan", options->planFile, "Upcycle by this plan first");
    addPlanOptions(*app, options->plan);
    for (const char* name : {"--preset", "--layers", "--experts"})
        app->get_option(name)->excludes(plan);
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle profile vit-base --preset paper --experts 8 --batch 8 --sizes");
    return {app, [options] { return profile(*options); }};
}

}  // namespace upcycle
