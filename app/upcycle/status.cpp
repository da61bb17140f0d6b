// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/watch.h"
#include "core/base/text.h"
#include "core/run/run_directory.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string run;
    bool json = false;
};

double secondsLeft(const core::RunStatus& status) {
    return status.secondsPerStep * static_cast<double>(status.steps - status.step);
}

void printText(const std::string& name, const core::RunStatus& status) {
    std::string line = fmt::format("{}: {}, step {} of {}", name, core::runPhaseName(status.phase),
                                   status.step, status.steps);
    if (status.loss) line += fmt::format(", training loss {:.4f}", *status.loss);
    if (status.accuracy)
        line += fmt::format(", held-out accuracy {:.2f} %", 100 * *status.accuracy);
    if (status.alive && status.secondsPerStep > 0)
        line += fmt::format(", {} left", core::formatDuration(secondsLeft(status)));
    printLine(line);
    if (!status.message.empty()) printLine("last error: " + status.message);
    std::string list = "checkpoints:";
    for (const std::int64_t step : status.checkpoints) list += fmt::format(" {}", step);
    printLine(status.checkpoints.empty() ? "no checkpoint yet" : list);
}

int status(const Options& options) {
    const core::RunStatus found = core::RunDirectory::open(options.run).status();
    if (options.json)
        printJson(statusJson(options.run, found));
    else
        printText(options.run, found);
    return 0;
}

}  // namespace

Json statusJson(const std::string& run, const core::RunStatus& status) {
    Json document{{"run", run},
                  {"phase", core::runPhaseName(status.phase)},
                  {"alive", status.alive},
                  {"step", status.step},
                  {"steps", status.steps},
                  {"loss", status.loss ? numberOrNull(*status.loss) : nullptr},
                  {"accuracy", status.accuracy ? numberOrNull(*status.accuracy) : nullptr},
                  {"seconds_per_step", status.secondsPerStep},
                  {"checkpoints", status.checkpoints}};
    if (status.alive) document["seconds_left"] = secondsLeft(status);
    if (!status.message.empty()) document["message"] = status.message;
    return document;
}

Command addStatus(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("status", "Where a run stands");
    app->add_option("RUN", options->run, "A run directory")->required();
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle status run1 --json");
    return {app, [options] { return status(*options); }};
}

}  // namespace upcycle
