// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/check.h"

#include "app/upcycle/command.h"
#include "app/upcycle/input_batch.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/signals.h"
#include "core/run/run_directory.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string dense, upcycled, data, input;
    std::int64_t examples = 64;
    ComputeOptions compute;
    bool json = false;
};

core::Batch makeBatch(const Options& options, const core::Path& dense, const core::ModelSpec& spec,
                      core::Backend& backend) {
    if (!options.input.empty()) return readInputBatch(options.input, spec, backend);
    if (!options.data.empty())
        return readDataBatch(absoluteSource(options.data), dense, options.examples, spec, backend);
    return makeRandomBatch(options.examples, spec, backend);
}

std::unique_ptr<core::Model> load(const core::Path& path, const Compute& compute) {
    const auto checkpoint = openPath(path);
    requireComputableFamily(core::readSpec(*checkpoint), path.string());
    return core::loadModel(*checkpoint, compute.backend, false, compute.dtype);
}

Json toJson(const core::CheckReport& report) {
    Json blocks = Json::array();
    for (const core::BlockCheck& block : report.blocks)
        blocks.push_back({{"block", block.block},
                          {"relative_error", numberOrNull(block.relativeError)},
                          {"unrouted", block.unrouted},
                          {"dropped", block.dropped},
                          {"combine_sum", numberOrNull(block.combineSum)}});
    return {{"holds", report.holds},
            {"logits", {{"relative_error", numberOrNull(report.logitsRelativeError)}}},
            {"blocks", blocks},
            {"causes", report.causes}};
}

void printText(const core::CheckReport& report) {
    printLine(report.holds ? "holds: the upcycled model computes the dense function"
                           : "does not hold: the upcycled model differs from the dense one");
    printLine(fmt::format("{:<14} {:>14} {:>10} {:>10} {:>14}", "", "relative error", "unrouted",
                          "dropped", "combine sum"));
    printLine(fmt::format("{:<14} {:>14.3e}", "logits", report.logitsRelativeError));
    for (const core::BlockCheck& block : report.blocks)
        printLine(fmt::format("{:<14} {:>14.3e} {:>8.2f} % {:>8.2f} % {:>14.4f}", block.block,
                              block.relativeError, 100 * block.unrouted, 100 * block.dropped,
                              block.combineSum));
    for (const std::string& cause : report.causes) printLine("cause: " + cause);
}

int check(const Options& options) {
    const core::Path densePath = core::resolveModel(options.dense);
    const Compute compute = computeFor(options.compute);
    const auto dense = load(densePath, compute);
    const auto upcycled = load(core::resolveModel(options.upcycled), compute);
    const core::Batch batch = makeBatch(options, densePath, dense->spec(), *compute.backend);
    throwIfStopped();
    const core::CheckReport report = core::checkUpcycled(*dense, *upcycled, batch);
    throwIfStopped();
    if (options.json)
        printJson(toJson(report));
    else
        printText(report);
    return 0;
}

}  // namespace

Command addCheck(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand(
        "check", "Does the upcycled model still compute the dense function at step 0?");
    app->add_option("DENSE", options->dense, "The dense checkpoint")->required();
    app->add_option("UPCYCLED", options->upcycled, "The upcycled one, or RUN@0")->required();
    CLI::Option* data = app->add_option("--data", options->data,
                                        "Take images or texts from here [random images or tokens]");
    app->add_option("--input", options->input,
                    "Take pixel_values, or input_ids and labels, from this safetensors file")
        ->excludes(data);
    app->add_option("--examples", options->examples, "Examples of --data [64]")
        ->check(CLI::Range(1, 65536));
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle check vit-base vit-moe --data images:photos");
    return {app, [options] { return check(*options); }};
}

}  // namespace upcycle
