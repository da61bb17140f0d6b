// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/plan_options.h"

#include "app/upcycle/options.h"
#include "app/upcycle/plan_settings.h"

#include <array>
#include <set>

namespace upcycle {
namespace {

/// Options that set one key of plan.json for every chosen block.
struct SettingOption {
    const char* option;
    const char* key;
    const char* help;
};
constexpr std::array<SettingOption, 10> kSettingOptions{
    {{"--experts", "experts", "Experts per block [32]"},
     {"--capacity", "capacity", "Experts that a token can use on average [2]"},
     {"--router", "router", "expert-choice or top-k [expert-choice; T5 decoder: top-k]"},
     {"--k", "k", "Experts per token, for top-k [2]"},
     {"--order", "order", "softmax-topk or topk-softmax, for top-k [softmax-topk]"},
     {"--renormalize", "renormalize", "on or off: combine weights sum to 1 [on for vision]"},
     {"--batch-priority", "batch_priority", "on or off, for top-k [off]"},
     {"--group-size", "group_size", "Tokens that compete: batch, sequence or a number [batch]"},
     {"--experts-from", "experts_from", "copy, noise:SIGMA, drop:R or random [copy]"},
     {"--router-init", "router_init", "normal:STD, lecun or zero [normal:0.02]"}}};

std::set<std::string> chosenBlocks(const core::ModelSpec& spec, const PlanOptions& options) {
    std::set<std::string> chosen;
    if (!options.preset.empty() || options.layers.empty()) {
        const std::string preset = options.preset.empty() ? "paper" : options.preset;
        const core::PresetChoice choice =
            wordOption("--preset", preset, core::presetFromText,
                       "paper, every-other, last-half, last:N, first:N, all or none");
        for (const std::string& block : core::presetBlocks(spec, choice)) chosen.insert(block);
    }
    if (!options.layers.empty())
        for (const std::string& block : core::blocksFromText(spec, options.layers))
            chosen.insert(block);
    return chosen;
}

}  // namespace

bool isGiven(const PlanOptions& options) {
    return !options.preset.empty() || !options.layers.empty() || !options.settings.empty() ||
           !options.assignments.empty() || options.dropless;
}

core::SurgeryPlan makePlan(const core::ModelSpec& spec, const PlanOptions& options) {
    core::SurgeryPlan plan;
    plan.seed = options.seed.value_or(0);
    for (const std::string& name : chosenBlocks(spec, options)) {
        const core::BlockSpec* block = spec.find(name);
        core::LayerPlan layer = core::defaultLayerPlan(spec, *block);
        for (const SettingOption& setting : kSettingOptions)
            if (const auto given = options.settings.find(setting.key);
                given != options.settings.end())
                applySetting(layer, setting.key, given->second, setting.option);
        layer.moe.dropless = layer.moe.dropless || options.dropless;
        plan.layers[name] = layer;
    }
    for (const std::string& assignment : options.assignments) applyAssignment(plan, assignment);
    return plan;
}

void addPlanOptions(CLI::App& app, PlanOptions& options) {
    app.add_option("--preset", options.preset,
                   "paper, every-other, last-half, last:N, first:N, all or none [paper]");
    app.add_option("--layers", options.layers,
                   "These blocks (without --preset: exactly these), e.g. encoder.6-11,decoder.1");
    for (const SettingOption& setting : kSettingOptions)
        app.add_option_function<std::string>(
            setting.option,
            [&options, key = std::string(setting.key)](const std::string& value) {
                options.settings[key] = value;
            },
            setting.help);
    app.add_flag("--dropless", options.dropless, "No capacity, for top-k");
    addSeedOption(app, options.seed, "Seed of noise, drops and routers [0]");
    app.add_option("--set", options.assignments,
                   "BLOCK.SETTING=VALUE, last of all, e.g. encoder.7.experts=16")
        ->allow_extra_args(false);
}

}  // namespace upcycle
