// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff.h"

#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;
using Kind = core::TensorChange::Kind;

struct Options {
    std::string a, b;
    double tolerance = 0;
    bool json = false;
};

const char* kindName(Kind kind) {
    switch (kind) {
        case Kind::Added:
            return "added";
        case Kind::Removed:
            return "removed";
        case Kind::Reshaped:
            return "reshaped";
        case Kind::Retyped:
            return "retyped";
        case Kind::Changed:
            break;
    }
    return "changed";
}

bool hasDifference(Kind kind) { return kind == Kind::Changed || kind == Kind::Retyped; }

void printText(const core::CheckpointDiff& diff) {
    for (const std::string& sentence : diff.story) printLine(sentence);
    for (const core::TensorChange& change : diff.changes) {
        std::string line =
            fmt::format("  {:<9} {}", kindName(change.kind), core::printable(change.name));
        if (!change.detail.empty()) line += "  " + change.detail;
        if (hasDifference(change.kind))
            line +=
                fmt::format("  max {:.3g}, relative {:.3g}", change.maxDifference, change.relative);
        printLine(line);
    }
    printLine(
        fmt::format("{} tensors differ, {} are the same", diff.changes.size(), diff.unchanged));
}

Json toJson(const core::CheckpointDiff& diff) {
    Json changes = Json::array();
    for (const core::TensorChange& change : diff.changes) {
        Json entry{
            {"name", change.name}, {"kind", kindName(change.kind)}, {"detail", change.detail}};
        if (hasDifference(change.kind)) {
            entry["max_difference"] = numberOrNull(change.maxDifference);
            entry["relative"] = numberOrNull(change.relative);
        }
        changes.push_back(std::move(entry));
    }
    return {{"story", diff.story}, {"changes", changes}, {"unchanged", diff.unchanged}};
}

int diff(const Options& options) {
    const auto a = openModel(options.a);
    const auto b = openModel(options.b);
    const core::CheckpointDiff found = core::diffCheckpoints(*a, *b, options.tolerance);
    if (options.json)
        printJson(toJson(found));
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
    app->add_option("--tolerance", options->tolerance,
                    "Relative differences up to this count as unchanged [0]")
        ->check(CLI::NonNegativeNumber);
    addJsonOption(*app, options->json);
    app->footer("Example: upcycle diff vit-base RUN@0");
    return {app, [options] { return diff(*options); }};
}

}  // namespace upcycle
