// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/signals.h"
#include "app/upcycle/train_report.h"
#include "core/run/train_run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

struct Options {
    std::string run;
    ComputeOptions compute;
    bool json = false;
};

int train(const Options& options) {
    catchSignalsForTraining();
    const core::RunDirectory run = core::RunDirectory::open(options.run);
    TrainReport report(run.logFile(), core::isOfTexts(run.job().objective));
    core::TrainOptions how;
    if (options.compute.deviceGiven) how.device = options.compute.device;
    if (options.compute.dtypeGiven) how.dtype = dtypeOption("--dtype", options.compute.dtype);
    if (options.compute.threadsGiven) how.threads = options.compute.threads;
    bool began = false;
    how.observer = [&](const core::Event& event) {
        began = true;
        report.see(event);
    };
    const core::TrainOutcome outcome = core::trainRun(options.run, how);
    const bool finished = outcome == core::TrainOutcome::Finished;
    if (!began) note(options.run + " has finished already");
    if (options.json) {
        const core::RunStatus status = run.status();
        printJson({{"run", options.run},
                   {"outcome", finished ? "finished" : "stopped"},
                   {"step", status.step},
                   {"steps", status.steps},
                   {"loss", status.loss ? numberOrNull(*status.loss) : nullptr},
                   {"checkpoints", status.checkpoints}});
    }
    return finished ? 0 : core::exitCode(core::ErrorKind::Stopped);
}

}  // namespace

Command addTrain(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app =
        root.add_subcommand("train", "Train a run, or go on from its newest checkpoint");
    app->add_option("RUN", options->run, "Made by upcycle new")->required();
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer(
        "Example: upcycle train run1 --threads 8\n"
        "Ctrl-C stops and saves, twice stops at once; upcycle train goes on from there (exit code "
        "6).");
    return {app, [options] { return train(*options); }};
}

}  // namespace upcycle
