// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/architecture.h"
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "app/upcycle/signals.h"
#include "core/base/text.h"
#include "core/checkpoint/tensor_stats.h"
#include "core/run/run_directory.h"
#include "core/run/stop_request.h"
#include "core/surgery/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string model;
    bool tensors = false;
    bool stats = false;
    bool json = false;
};

struct Totals {
    std::uint64_t parameters = 0;
    std::uint64_t bytes = 0;
};

Totals totalsOf(const core::Checkpoint& checkpoint) {
    Totals totals;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        totals.parameters += static_cast<std::uint64_t>(tensor.shape.elements());
        totals.bytes += tensor.bytes;
    }
    return totals;
}

Json statsJson(const core::TensorStats& stats) {
    return {{"min", numberOrNull(stats.min)},
            {"max", numberOrNull(stats.max)},
            {"mean", numberOrNull(stats.mean)},
            {"std", numberOrNull(stats.std)},
            {"zeros", stats.zeros},
            {"non_finite", stats.nonFinite}};
}

std::string statsText(const core::TensorStats& stats) {
    std::string text = fmt::format("  min {:.4g}  max {:.4g}  mean {:.4g}  std {:.4g}", stats.min,
                                   stats.max, stats.mean, stats.std);
    if (stats.nonFinite > 0) text += fmt::format("  {} not finite", stats.nonFinite);
    return text;
}

std::vector<core::TensorStats> allStats(const core::Checkpoint& checkpoint,
                                        std::uint64_t totalBytes) {
    std::vector<core::TensorStats> all;
    Progress progress("reading");
    double done = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        progress.update(done, static_cast<double>(totalBytes), core::printable(tensor.name));
        all.push_back(core::computeStats(checkpoint, tensor, core::stopRequested()));
        throwIfStopped();
        done += static_cast<double>(tensor.bytes);
    }
    return all;
}

Json tensorsJson(const core::Checkpoint& checkpoint, const std::vector<core::TensorStats>& stats) {
    Json list = Json::array();
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        Json entry{{"name", tensor.name},           {"dtype", core::dtypeName(tensor.dtype)},
                   {"shape", tensor.shape.sizes()}, {"bytes", tensor.bytes},
                   {"file", tensor.file},           {"offset", tensor.offset}};
        if (!stats.empty()) entry["stats"] = statsJson(stats[list.size()]);
        list.push_back(std::move(entry));
    }
    return list;
}

void printBlocks(const core::ModelSpec& spec) {
    for (const core::BlockSpec& block : spec.blocks) {
        std::string line = fmt::format("  {:<12} {}", block.name, block.moe ? "MoE" : "dense");
        if (block.moe) {
            line += fmt::format(", {} experts, {}", block.moe->experts,
                                core::routerName(block.moe->router));
            if (!block.moe->dropless) line += fmt::format(", capacity {}", block.moe->capacity);
        }
        printLine(line);
    }
}

void printText(const core::Checkpoint& checkpoint, const Architecture& architecture,
               const Totals& totals, const Options& options,
               const std::vector<core::TensorStats>& stats) {
    const std::size_t files = checkpoint.files().size();
    printLine(fmt::format("{}  ({}, {} {})", checkpoint.folder().string(), checkpoint.format(),
                          files, files == 1 ? "file" : "files"));
    printLine(architectureLine(architecture));
    printLine(fmt::format(
        "{} parameters, {} tensors, {}", core::formatCount(static_cast<double>(totals.parameters)),
        checkpoint.tensors().size(), core::formatBytes(static_cast<double>(totals.bytes))));
    if (architecture.spec) printBlocks(*architecture.spec);
    if (!options.tensors && !options.stats) return;
    std::size_t index = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        printLine(fmt::format("  {:<5} {:<22} {}{}", core::dtypeName(tensor.dtype),
                              core::toString(tensor.shape), core::printable(tensor.name),
                              stats.empty() ? "" : statsText(stats[index])));
        ++index;
    }
}

void warnOfNonFinite(const core::Checkpoint& checkpoint,
                     const std::vector<core::TensorStats>& stats) {
    std::size_t index = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        if (index < stats.size() && stats[index].nonFinite > 0)
            warn(fmt::format("{} has {} values that are not finite", core::printable(tensor.name),
                             stats[index].nonFinite));
        ++index;
    }
}

int inspect(const Options& options) {
    const auto checkpoint = core::Checkpoint::open(core::resolveModel(options.model));
    const Architecture architecture = architectureOf(*checkpoint);
    Totals totals = totalsOf(*checkpoint);
    std::vector<std::string> notes;
    if (architecture.spec) {
        totals.parameters = core::modelCost(*architecture.spec, checkpoint->tensors()).parameters;
        notes = core::tensorNotes(*architecture.spec, checkpoint->tensors());
    }
    std::vector<core::TensorStats> stats;
    if (options.stats) stats = allStats(*checkpoint, totals.bytes);
    if (!architecture.problem.empty()) warn(architecture.problem);
    warnOfNonFinite(*checkpoint, stats);
    if (!options.json) {
        printText(*checkpoint, architecture, totals, options, stats);
        for (const std::string& note : notes) printLine("note: " + core::printable(note));
        return 0;
    }
    Json document{{"format", checkpoint->format()},
                  {"layout", architecture.layout},
                  {"family", architecture.family},
                  {"parameters", totals.parameters},
                  {"bytes", totals.bytes},
                  {"architecture", architectureJson(architecture, checkpoint->configText())},
                  {"blocks", Json::array()}};
    if (architecture.spec) document["blocks"] = blocksJson(*architecture.spec);
    if (!notes.empty()) document["notes"] = notes;
    document["tensors"] = tensorsJson(*checkpoint, stats);
    printJson(document);
    return 0;
}

}  // namespace

Command addInspect(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("inspect", "Show what is in a checkpoint");
    app->add_option("MODEL", options->model,
                    "Checkpoint file, folder, shard index, RUN or RUN@STEP")
        ->required();
    app->add_flag("--tensors", options->tensors, "List every tensor");
    app->add_flag("--stats", options->stats, "Read every tensor: min, max, mean, std, non-finite");
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle inspect vit-base-patch16-224 --tensors");
    return {app, [options] { return inspect(*options); }};
}

}  // namespace upcycle
