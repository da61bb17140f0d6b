// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/model/spec.h"
#include "core/surgery/plan.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace ui {

/// What a newly switched block starts with; empty fields are the paper's.
struct NewLayerSettings {
    std::optional<std::int64_t> experts;
    std::optional<double> capacity;
};

/// The paper's settings for this block with `settings` over them.
core::LayerPlan newLayer(const core::ModelSpec& spec, const core::BlockSpec& block,
                         const NewLayerSettings& settings);

/// Dense blocks of the checkpoint: the ones that can be switched.
bool isSwitchable(const core::ModelSpec& spec, const std::string& block);

/// `plan` with these blocks MoE (those that already are keep their settings) or dense. Blocks that
/// the checkpoint has sparse are left alone.
core::SurgeryPlan withBlocks(const core::ModelSpec& spec, core::SurgeryPlan plan,
                             std::span<const std::string> blocks, bool moe,
                             const NewLayerSettings& settings);

/// Exactly the blocks of a preset are MoE.
core::SurgeryPlan withPreset(const core::ModelSpec& spec, const core::SurgeryPlan& plan,
                             const core::PresetChoice& choice, const NewLayerSettings& settings);

/// `change` applied to the layers of these blocks that the plan has.
core::SurgeryPlan withLayers(core::SurgeryPlan plan, std::span<const std::string> blocks,
                             const std::function<void(core::LayerPlan&)>& change);

/// The names of the plan's layers.
std::set<std::string> layerNames(const core::SurgeryPlan& plan);

}  // namespace ui
