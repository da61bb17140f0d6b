// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff.h"

#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/progress.h"
#include "core/base/text.h"
#include "core/run/stop_request.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;
using Kind = core::TensorChange::Kind;

struct Options {
    std::string a, b;
    core::DiffOptions diff;
    bool json = false;
};

bool hasDifference(Kind kind) { return kind == Kind::Changed || kind == Kind::Retyped; }

/// "0.9312 .. 0.9987"; one number where they are all alike.
std::string rangeText(const std::vector<double>& cosines) {
    const auto [least, most] = std::minmax_element(cosines.begin(), cosines.end());
    return *least == *most ? fmt::format("{:.4f}", *least)
                           : fmt::format("{:.4f} .. {:.4f}", *least, *most);
}

void printExperts(const std::vector<core::ExpertCosines>& blocks) {
    if (blocks.empty()) return;
    printLine("  block        experts  cosine to A's MLP   cosine of two experts");
    for (const core::ExpertCosines& block : blocks) {
        std::vector<double> pairs;
        for (std::size_t i = 0; i < block.pairwise.size(); ++i)
            pairs.insert(pairs.end(),
                         block.pairwise[i].begin() + static_cast<std::ptrdiff_t>(i) + 1,
                         block.pairwise[i].end());
        printLine(fmt::format("  {:<12} {:>7}  {:<18}  {}", block.block, block.pairwise.size(),
                              block.toReference.empty() ? "-" : rangeText(block.toReference),
                              rangeText(pairs)));
    }
}

Json cosinesJson(const std::vector<double>& cosines) {
    Json list = Json::array();
    for (const double cosine : cosines) list.push_back(numberOrNull(cosine));
    return list;
}

Json expertsJson(const std::vector<core::ExpertCosines>& blocks) {
    using Reference = core::ExpertCosines::Reference;
    Json list = Json::array();
    for (const core::ExpertCosines& block : blocks) {
        Json entry{{"block", block.block}};
        if (block.reference != Reference::None)
            entry[block.reference == Reference::Dense ? "cosine_to_dense" : "cosine_to_a"] =
                cosinesJson(block.toReference);
        entry["pairwise"] = Json::array();
        for (const std::vector<double>& row : block.pairwise)
            entry["pairwise"].push_back(cosinesJson(row));
        list.push_back(std::move(entry));
    }
    return list;
}

void printText(const core::CheckpointDiff& diff) {
    for (const std::string& sentence : diff.story) printLine(sentence);
    printExperts(diff.experts);
    for (const core::TensorChange& change : diff.changes) {
        std::string line =
            fmt::format("  {:<9} {}", core::changeName(change.kind), core::printable(change.name));
        if (!change.detail.empty()) line += "  " + change.detail;
        if (hasDifference(change.kind))
            line +=
                fmt::format("  max {:.3g}, relative {:.3g}", change.maxDifference, change.relative);
        printLine(line);
    }
    printLine(
        fmt::format("{} tensors differ, {} are the same", diff.changes.size(), diff.unchanged));
}

Json toJson(const core::CheckpointDiff& diff, bool experts) {
    Json changes = Json::array();
    for (const core::TensorChange& change : diff.changes) {
        Json entry{{"name", change.name},
                   {"kind", core::changeName(change.kind)},
                   {"detail", change.detail}};
        if (hasDifference(change.kind)) {
            entry["max_difference"] = numberOrNull(change.maxDifference);
            entry["relative"] = numberOrNull(change.relative);
        }
        changes.push_back(std::move(entry));
    }
    Json document{{"story", diff.story}, {"changes", changes}, {"unchanged", diff.unchanged}};
    if (experts) document["experts"] = expertsJson(diff.experts);
    return document;
}

int diff(const Options& options) {
    const auto a = openModel(options.a);
    const auto b = openModel(options.b);
    Progress progress("comparing");
    const core::CheckpointDiff found = core::diffCheckpoints(
        *a, *b, options.diff,
        [&](const core::DiffProgress& now) {
            progress.update(static_cast<double>(now.done), static_cast<double>(now.total),
                            core::printable(now.name));
        },
        core::stopRequested());
    progress.clear();
    if (options.json)
        printJson(toJson(found, options.diff.experts));
    else
        printText(found);
    return 0;
}

}  // namespace

Command addDiff(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("diff", "Compare two checkpoints, tensor by tensor");
    app->add_option("A", options->a, "Checkpoint, RUN or RUN@STEP")->required();
    app->add_option("B", options->b, "Checkpoint, RUN or RUN@STEP")->required();
    app->add_option("--tolerance", options->diff.tolerance,
                    "Relative differences up to this count as unchanged [0]")
        ->check(CLI::NonNegativeNumber);
    app->add_flag("--experts", options->diff.experts,
                  "Cosines of each MoE block's experts with the dense MLP and with each other");
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle diff vit-base RUN@0");
    return {app, [options] { return diff(*options); }};
}

}  // namespace upcycle
