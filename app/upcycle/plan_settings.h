// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/plan.h"

#include <string>
#include <string_view>
#include <vector>

namespace upcycle {

/// Sets one setting of a layer by the key that it has in plan.json ("experts", "capacity",
/// "router", "k", "order", "renormalize", "dropless", "batch_priority", "group_size",
/// "experts_from", "router_init"). Usage names `option` for an unknown key or value.
void applySetting(core::LayerPlan& layer, std::string_view key, const std::string& value,
                  const std::string& option);

/// "encoder.7.experts=16" of `--set`. BadInput when the plan does not have the block.
void applyAssignment(core::SurgeryPlan& plan, const std::string& assignment);

}  // namespace upcycle
