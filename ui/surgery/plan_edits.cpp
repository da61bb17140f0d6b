// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/surgery/plan_edits.h"

namespace ui {

core::LayerPlan newLayer(const core::ModelSpec& spec, const core::BlockSpec& block,
                         const NewLayerSettings& settings) {
    core::LayerPlan layer = core::defaultLayerPlan(spec, block);
    if (settings.experts) layer.moe.experts = *settings.experts;
    if (settings.capacity) layer.moe.capacity = *settings.capacity;
    return layer;
}

bool isSwitchable(const core::ModelSpec& spec, const std::string& block) {
    const core::BlockSpec* found = spec.find(block);
    return found != nullptr && !found->moe;
}

core::SurgeryPlan withBlocks(const core::ModelSpec& spec, core::SurgeryPlan plan,
                             std::span<const std::string> blocks, bool moe,
                             const NewLayerSettings& settings) {
    for (const std::string& name : blocks) {
        if (!isSwitchable(spec, name)) continue;
        if (moe)
            plan.layers.try_emplace(name, newLayer(spec, *spec.find(name), settings));
        else
            plan.layers.erase(name);
    }
    return plan;
}

core::SurgeryPlan withPreset(const core::ModelSpec& spec, const core::SurgeryPlan& plan,
                             const core::PresetChoice& choice, const NewLayerSettings& settings) {
    core::SurgeryPlan result;
    result.seed = plan.seed;
    for (const std::string& name : core::presetBlocks(spec, choice)) {
        if (!isSwitchable(spec, name)) continue;
        const auto existing = plan.layers.find(name);
        result.layers.emplace(name, existing != plan.layers.end()
                                        ? existing->second
                                        : newLayer(spec, *spec.find(name), settings));
    }
    return result;
}

core::SurgeryPlan withLayers(core::SurgeryPlan plan, std::span<const std::string> blocks,
                             const std::function<void(core::LayerPlan&)>& change) {
    for (const std::string& name : blocks) {
        const auto found = plan.layers.find(name);
        if (found != plan.layers.end()) change(found->second);
    }
    return plan;
}

std::set<std::string> layerNames(const core::SurgeryPlan& plan) {
    std::set<std::string> names;
    for (const auto& [name, layer] : plan.layers) names.insert(name);
    return names;
}

}  // namespace ui
