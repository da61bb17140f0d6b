// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/architecture.h"
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "app/upcycle/signals.h"
#include "app/upcycle/tensor_list.h"
#include "app/upcycle/terminal.h"
#include "core/base/text.h"
#include "core/checkpoint/findings.h"
#include "core/checkpoint/stats_cache.h"
#include "core/checkpoint/tensor_stats.h"
#include "core/run/stop_request.h"
#include "core/surgery/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string model;
    core::OpenOptions open;
    bool tensors = false;
    bool stats = false;
    bool fresh = false;
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

/// Sixteen columns over [min, max].
std::string histogramText(const core::TensorStats& stats) {
    constexpr std::size_t kColumns = 16;
    constexpr std::size_t kEach = std::tuple_size_v<decltype(stats.histogram)> / kColumns;
    std::vector<double> columns(kColumns);
    for (std::size_t i = 0; i < stats.histogram.size(); ++i)
        columns[i / kEach] += static_cast<double>(stats.histogram[i]);
    return levelText(columns, *std::max_element(columns.begin(), columns.end()));
}

std::string statsText(const core::TensorStats& stats) {
    if (stats.finite() == 0)
        return stats.count == 0 ? "  empty" : fmt::format("  {} not finite", stats.nonFinite());
    std::string text =
        fmt::format("  {}  min {:.4g}  max {:.4g}  mean {:.4g}  std {:.4g}", histogramText(stats),
                    stats.min, stats.max, stats.mean, stats.std);
    if (stats.zeros > 0)
        text += fmt::format("  {:.3g} % zeros", 100.0 * static_cast<double>(stats.zeros) /
                                                    static_cast<double>(stats.count));
    if (stats.nonFinite() > 0) text += fmt::format("  {} not finite", stats.nonFinite());
    if (stats.rounded) text += "  (integers beyond 2^53: rounded)";
    return text;
}

std::vector<core::TensorStats> allStats(const core::Checkpoint& checkpoint,
                                        std::uint64_t totalBytes, bool fresh) {
    std::vector<core::TensorStats> all;
    core::StatsCache cache(checkpoint, core::defaultStatsFolder());
    Progress progress("reading");
    std::uint64_t done = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        const auto report = [&](std::uint64_t bytes) {
            progress.update(static_cast<double>(done + bytes), static_cast<double>(totalBytes),
                            core::printable(tensor.name));
        };
        std::optional<core::TensorStats> stats = fresh ? std::nullopt : cache.find(tensor);
        if (!stats) {
            stats = core::computeStats(checkpoint, tensor, core::stopRequested(), report);
            throwIfStopped();
            cache.keep(tensor, *stats);
        }
        all.push_back(*stats);
        done += tensor.bytes;
        report(0);
    }
    return all;
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
    printLine(fmt::format("{}  ({}, layout {}, {} {})", core::printable(options.model, 1000),
                          checkpoint.format(), architecture.layout, files,
                          files == 1 ? "file" : "files"));
    printLine(architectureLine(architecture));
    printLine(fmt::format(
        "{} parameters, {} tensors, {}", core::formatCount(static_cast<double>(totals.parameters)),
        checkpoint.tensors().size(), core::formatBytes(static_cast<double>(totals.bytes))));
    if (architecture.spec)
        printBlocks(*architecture.spec);
    else if (architecture.seen)
        printBlocks(*architecture.seen);
    if (!options.tensors && !options.stats) return;
    std::size_t index = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        printLine(fmt::format("  {:<5} {:<22} {}{}", core::dtypeName(tensor.dtype),
                              core::toString(tensor.shape), core::printable(tensor.name),
                              stats.empty() ? "" : statsText(stats[index])));
        ++index;
    }
}

int inspect(const Options& options) {
    const auto checkpoint = openModel(options.model, options.open);
    const Architecture architecture = architectureOf(*checkpoint);
    Totals totals = totalsOf(*checkpoint);
    std::vector<std::string> notes;
    if (architecture.spec) {
        totals.parameters = core::modelCost(*architecture.spec, checkpoint->tensors()).parameters;
        notes = core::tensorNotes(*architecture.spec, checkpoint->tensors());
    }
    std::vector<core::TensorStats> stats;
    if (options.stats) stats = allStats(*checkpoint, totals.bytes, options.fresh);
    const std::vector<core::Finding> findings = core::findingsOf(*checkpoint, stats);
    if (!architecture.problem.empty()) warn(architecture.problem);
    for (const core::Finding& finding : findings)
        if (finding.kind == core::Finding::Kind::NotFinite) warn(finding.text);
    if (!options.json) {
        printText(*checkpoint, architecture, totals, options, stats);
        for (const core::Finding& finding : findings)
            if (finding.kind != core::Finding::Kind::NotFinite) printLine("note: " + finding.text);
        for (const std::string& note : notes) printLine("note: " + note);
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
    document["notes"] = notes;
    for (const core::Finding& finding : findings) document["notes"].push_back(finding.text);
    const auto tensors = checkpoint->tensors();
    printJson(document, "tensors", tensors.size(), [&](std::size_t i) {
        return tensorJson(tensors[i], stats.empty() ? nullptr : &stats[i]);
    });
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
    app->add_flag("--stats", options->stats,
                  "Read every tensor: histogram, min, max, mean, std, zeros, non-finite; tied and "
                  "duplicated tensors");
    app->add_flag("--fresh", options->fresh,
                  "With --stats: read again what an earlier call has read of the same file");
    addOpenOptions(*app, options->open);
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle inspect vit-base-patch16-224 --tensors");
    return {app, [options] { return inspect(*options); }};
}

}  // namespace upcycle
