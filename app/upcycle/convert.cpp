// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/convert.h"

#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "core/base/text.h"
#include "core/run/run_directory.h"
#include "core/run/stop_request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string model, plan, output, shard;
    std::string layout = "hf";
    std::string format;
    std::string dtype = "keep";
    bool dryRun = false, force = false, json = false;
};

core::FileFormat formatOf(const Options& options) {
    const core::Path output = options.output;
    const bool namesHdf5 = output.extension() == ".h5" || output.extension() == ".hdf5";
    if (options.format == "hdf5" || (options.format.empty() && namesHdf5))
        return core::FileFormat::Hdf5;
    if (options.format == "safetensors" || options.format.empty())
        return core::FileFormat::Safetensors;
    if (options.format == "npz")
        usage("--format npz is not in this version", "give safetensors or hdf5");
    usage(fmt::format("--format {} is not known", core::printable(options.format)),
          "give safetensors or hdf5");
}

void checkLayout(const std::string& layout) {
    if (layout == "hf" || layout == "switch") return;
    if (layout == "google" || layout == "native")
        usage(fmt::format("--layout {} is not in this version", layout), "give hf or switch");
    usage(fmt::format("--layout {} is not known", core::printable(layout)), "give hf or switch");
}

core::ConvertOptions convertOptions(const Options& options) {
    checkLayout(options.layout);
    core::ConvertOptions made;
    made.format = formatOf(options);
    if (options.dtype != "keep") made.dtype = dtypeOption("--dtype", options.dtype);
    if (!options.shard.empty()) made.maxShardBytes = bytesOption("--max-shard-size", options.shard);
    made.switchLayout = options.layout == "switch";
    made.force = options.force;
    return made;
}

core::ConvertResult execute(const core::Checkpoint& source, const core::SurgeryPlan& plan,
                            const Options& options, const core::ConvertOptions& how) {
    Progress progress("writing");
    return core::convertCheckpoint(
        source, plan, options.output, how,
        [&](const core::ConvertProgress& state) {
            progress.update(static_cast<double>(state.bytesDone),
                            static_cast<double>(state.bytesTotal), core::printable(state.tensor));
        },
        core::stopRequested());
}

int convert(const Options& options) {
    const core::ConvertOptions how = convertOptions(options);
    core::SurgeryPlan plan;
    if (!options.plan.empty())
        plan = core::planFromJson(core::readTextFile(options.plan), options.plan);
    const auto source = core::Checkpoint::open(core::resolveModel(options.model));
    if (options.dryRun) {
        core::checkConversionTarget(*source, options.output, how);
        const std::uint64_t bytes = core::convertedBytes(*source, plan, how);
        if (options.json)
            printJson({{"output", options.output}, {"bytes", bytes}, {"written", false}});
        else
            printLine(fmt::format("{} would hold {} of tensors", options.output,
                                  core::formatBytes(static_cast<double>(bytes))));
        return 0;
    }
    const core::ConvertResult result = execute(*source, plan, options, how);
    if (result.overflowed > 0)
        warn(fmt::format("{} values became infinite in {}", result.overflowed, options.dtype));
    for (const std::string& note : result.notes) warn(note);
    for (const std::string& file : result.leftOut) warn("left out: " + file);
    if (options.json)
        printJson({{"output", options.output},
                   {"tensors", result.tensors},
                   {"bytes", result.bytes},
                   {"overflowed", result.overflowed},
                   {"written", true}});
    else
        printLine(fmt::format("{}: {} tensors, {}", options.output, result.tensors,
                              core::formatBytes(static_cast<double>(result.bytes))));
    return 0;
}

Command add(CLI::App& root, const char* name, const char* help, const char* example) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand(name, help);
    app->add_option("MODEL", options->model, "Checkpoint, RUN or RUN@STEP")->required();
    app->add_option("--plan", options->plan,
                    "Upcycle by this plan; without it formats are converted");
    app->add_option("-o,--output", options->output,
                    "Folder, or a file ending in .safetensors, .h5 or .hdf5")
        ->required();
    app->add_option("--layout", options->layout,
                    "hf, or switch: a T5 with top-1 routers as SwitchTransformers [hf]");
    app->add_option("--format", options->format, "safetensors or hdf5 [safetensors]");
    app->add_option("--dtype", options->dtype, "f32, f16, bf16 or keep [keep]");
    app->add_option("--max-shard-size", options->shard, "More files beyond this, e.g. 5GB");
    app->add_flag("--dry-run", options->dryRun, "Only say what would be written");
    app->add_flag("--force", options->force, "Replace an existing OUT");
    addJsonOption(*app, options->json);
    app->footer(
        std::string(example) +
        "\nSchedule and step go along (training.json); the optimizer's state stays with the "
        "source: name that in upcycle new to carry it.");
    return {app, [options] { return convert(*options); }};
}

}  // namespace

Command addConvert(CLI::App& root) {
    return add(root, "convert", "Write a checkpoint anew: upcycled by a plan, or in another format",
               "Example: upcycle convert vit-base --plan plan.json -o vit-moe --dtype bf16");
}

Command addExport(CLI::App& root) {
    return add(root, "export", "Write a trained run's checkpoint for other tools (same as convert)",
               "Example: upcycle export RUN -o vit-moe-trained --max-shard-size 5GB");
}

}  // namespace upcycle
