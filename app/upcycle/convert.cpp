// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/run/export.h"
#include "core/run/stop_request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string model, plan, output, shard;
    core::OpenOptions open;
    std::string layout = "hf";
    std::string format;
    std::string dtype = "keep";
    bool dryRun = false, force = false, json = false;
    int threads = 0;
};

std::optional<core::FileFormat> namedFormat(const std::string& name) {
    if (name == "safetensors") return core::FileFormat::Safetensors;
    if (name == "hdf5") return core::FileFormat::Hdf5;
    if (name == "npz") return core::FileFormat::Npz;
    return std::nullopt;
}

/// Where --format says nothing: the output's name, else what the layout's programs load.
core::FileFormat formatOf(const Options& options, core::LayoutChoice layout,
                          const core::Checkpoint& source) {
    const std::string ending = core::Path(options.output).extension().string();
    if (ending == ".h5" || ending == ".hdf5") return core::FileFormat::Hdf5;
    if (ending == ".npz") return core::FileFormat::Npz;
    if (ending == ".safetensors") return core::FileFormat::Safetensors;
    return core::usualFormat(layout, source);
}

core::ConvertOptions convertOptions(const Options& options) {
    if (options.output.empty()) usage("--output is empty", "name a folder or a file");
    core::ConvertOptions made;
    made.layout = wordOption("--layout", options.layout, core::layoutChoiceFromName,
                             "hf, google, native or switch");
    if (!options.format.empty())
        made.format =
            wordOption("--format", options.format, namedFormat, "safetensors, hdf5 or npz");
    if (options.dtype != "keep") made.dtype = dtypeOption("--dtype", options.dtype);
    if (!options.shard.empty()) made.maxShardBytes = bytesOption("--max-shard-size", options.shard);
    made.force = options.force;
    return made;
}

core::ConvertResult execute(const core::Checkpoint& source, const core::SurgeryPlan& plan,
                            const Options& options, const core::ConvertOptions& how) {
    Progress progress("writing");
    return core::exportCheckpoint(
        source, plan, options.output, how,
        [&](const core::ConvertProgress& state) {
            progress.update(static_cast<double>(state.bytesDone),
                            static_cast<double>(state.bytesTotal), core::printable(state.tensor));
        },
        core::stopRequested());
}

int convert(const Options& options) {
    core::ConvertOptions how = convertOptions(options);
    core::setThreads(options.threads);
    core::SurgeryPlan plan;
    if (!options.plan.empty())
        plan = core::planFromJson(core::readTextFile(options.plan), options.plan);
    const auto source = openModel(options.model, options.open);
    if (options.format.empty()) how.format = formatOf(options, how.layout, *source);
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
    for (const std::string& what : result.leftOut) warn("left out: " + what);
    for (const std::string& text : result.notes) warn(text);
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
                    "Folder, or a file ending in .safetensors, .h5, .hdf5 or .npz")
        ->required();
    app->add_option("--layout", options->layout,
                    "Names and axes: hf (transformers), google (ViT .npz, V-MoE, T5X), native (the "
                    "source's) or "
                    "switch (a T5 with top-1 routers as SwitchTransformers) [hf]");
    app->add_option("--format", options->format,
                    "safetensors, hdf5 or npz [safetensors; npz for Google's layouts]");
    app->add_option("--dtype", options->dtype, "f32, f16, bf16 or keep [keep]");
    app->add_option("--max-shard-size", options->shard, "More files beyond this, e.g. 5GB");
    app->add_flag("--dry-run", options->dryRun, "Only say what would be written");
    app->add_flag("--force", options->force, "Replace an existing OUT");
    addOpenOptions(*app, options->open);
    addThreadsOption(*app, options->threads);
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
