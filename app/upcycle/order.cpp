// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "core/run/control.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

struct Options {
    std::string run;
    std::string argument;
    bool json = false;
};

int give(const std::string& command, const Options& options) {
    const core::RunDirectory run = core::RunDirectory::open(options.run);
    core::validateOrder({command, options.argument});
    if (!core::FileLock::isHeld(run.lockFile()))
        throw core::Error(core::ErrorKind::BadInput,
                          options.run + ": no trainer is running that could obey",
                          "start one with: upcycle train " + options.run);
    run.order(command, options.argument);
    if (options.json)
        printJson({{"run", options.run}, {"command", command}, {"argument", options.argument}});
    else
        printLine(fmt::format("{}: {} asked for", options.run,
                              options.argument.empty() ? command : options.argument));
    return 0;
}

Command add(CLI::App& root, const std::string& name, const char* help) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand(name, help);
    app->add_option("RUN", options->run, "A run that is being trained")->required();
    if (name == "set") app->add_option("SETTING", options->argument, "lr=X")->required();
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle " + name + " run1" + (name == "set" ? " lr=0.0005" : ""));
    return {app, [name, options] { return give(name, *options); }};
}

}  // namespace

std::vector<Command> addOrders(CLI::App& root) {
    return {add(root, "pause", "Pause a training run; its state stays in memory"),
            add(root, "resume", "Let a paused run go on"),
            add(root, "checkpoint", "Write a checkpoint now"),
            add(root, "stop", "Stop now, without a checkpoint"),
            add(root, "stop-and-save", "Write a checkpoint and stop"),
            add(root, "set", "Change the learning rate (schedule.lr) of a training run")};
}

}  // namespace upcycle
