// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/plan_options.h"
#include "core/base/text.h"
#include "core/surgery/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string model, output;
    core::OpenOptions open;
    PlanOptions plan;
    std::int64_t batch = 32;
    bool json = false;
};

Json costJson(const core::ModelCost& cost) {
    Json json{{"parameters", cost.parameters},
              {"active_parameters", cost.activeParameters},
              {"flops_per_token", cost.flopsPerToken},
              {"file_bytes", cost.fileBytes},
              {"training_bytes", cost.trainingBytes}};
    if (cost.trainingBytes == 0) json["training_bytes"] = nullptr;
    if (cost.flopsPerEncoderToken > 0) json["flops_per_encoder_token"] = cost.flopsPerEncoderToken;
    if (cost.flopsPerDecoderToken > 0) json["flops_per_decoder_token"] = cost.flopsPerDecoderToken;
    return json;
}

Json reportJson(const core::SurgeryPlan& plan, const core::PlanReport& report) {
    Json warnings = Json::array();
    for (const core::PlanWarning& warning : report.warnings)
        warnings.push_back({{"block", warning.block}, {"text", warning.text}});
    Json json{{"plan", Json::parse(core::toJson(plan))},
              {"before", costJson(report.before)},
              {"after", costJson(report.after)},
              {"training_batch", report.trainingBatch},
              {"warnings", warnings}};
    if (report.output.family == core::Family::T5)
        json["training_lengths"] = {{"inputs", core::kT5InputTokens},
                                    {"targets", core::kT5TargetTokens}};
    return json;
}

void printRow(std::string_view name, const std::string& before, const std::string& after) {
    printLine(fmt::format("{:<24} {:>12} {:>12}", name, before, after));
}

void printReport(const core::SurgeryPlan& plan, const core::PlanReport& report) {
    for (const core::BlockSpec& block : report.output.blocks) {
        const auto planned = plan.layers.find(block.name);
        if (planned == plan.layers.end()) continue;
        const core::LayerPlan& layer = planned->second;
        const core::MoeSpec& moe = layer.moe;
        std::string line = fmt::format("{:<12} {} experts from {}, {}", block.name, moe.experts,
                                       core::toString(layer.experts), core::routerName(moe.router));
        if (moe.router == core::RouterKind::TopK) line += fmt::format(" k {}", moe.k);
        line += moe.dropless ? ", dropless" : fmt::format(", capacity {}", moe.capacity);
        if (moe.renormalize) line += ", renormalized";
        printLine(line);
    }
    if (plan.layers.empty()) printLine("no block becomes MoE");
    const auto count = [](std::uint64_t n) { return core::formatCount(static_cast<double>(n)); };
    const auto bytes = [](std::uint64_t n) { return core::formatBytes(static_cast<double>(n)); };
    const auto memory = [&](std::uint64_t n) { return n == 0 ? "unknown" : bytes(n); };
    const core::ModelCost& a = report.before;
    const core::ModelCost& b = report.after;
    printRow("", "before", "after");
    printRow("parameters", count(a.parameters), count(b.parameters));
    printRow("active per token", count(a.activeParameters), count(b.activeParameters));
    printRow("FLOPs per token", core::formatCount(a.flopsPerToken),
             core::formatCount(b.flopsPerToken));
    if (a.flopsPerEncoderToken > 0)
        printRow("  of the encoder", core::formatCount(a.flopsPerEncoderToken),
                 core::formatCount(b.flopsPerEncoderToken));
    if (a.flopsPerDecoderToken > 0)
        printRow("  of the decoder", core::formatCount(a.flopsPerDecoderToken),
                 core::formatCount(b.flopsPerDecoderToken));
    printRow("file size", bytes(a.fileBytes), bytes(b.fileBytes));
    printRow(fmt::format("training memory (B {})", report.trainingBatch), memory(a.trainingBytes),
             memory(b.trainingBytes));
    if (b.trainingBytes > 0 && report.output.family == core::Family::T5)
        printLine(fmt::format("  of {} input and {} target tokens each, with Adafactor",
                              core::kT5InputTokens, core::kT5TargetTokens));
}

int plan(const Options& options) {
    const auto checkpoint = openModel(options.model, options.open);
    const core::ModelSpec spec = core::readSpec(*checkpoint);
    const core::SurgeryPlan made = makePlan(spec, options.plan);
    const core::PlanReport report =
        core::compilePlan(spec, checkpoint->tensors(), made, options.batch);
    if (!options.output.empty()) core::writeTextFile(options.output, core::toJson(made));
    for (const core::PlanWarning& warning : report.warnings)
        warn(warning.block.empty() ? warning.text : warning.block + ": " + warning.text);
    if (options.json)
        printJson(reportJson(made, report));
    else
        printReport(made, report);
    return 0;
}

}  // namespace

Command addPlan(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("plan", "Choose which MLPs become MoE, and see the cost");
    app->add_option("MODEL", options->model, "The dense checkpoint")->required();
    app->add_option("-o,--output", options->output, "Write the plan here (plan.json)");
    addPlanOptions(*app, options->plan);
    app->add_option("--batch", options->batch, "Examples at once, for the training memory [32]")
        ->check(CLI::Range(1, 1 << 20));
    addOpenOptions(*app, options->open);
    addJsonOption(*app, options->json);
    app->footer(
        "Example: upcycle plan vit-base -o plan.json --preset paper --experts 8 --set "
        "encoder.11.experts=16");
    return {app, [options] { return plan(*options); }};
}

}  // namespace upcycle
