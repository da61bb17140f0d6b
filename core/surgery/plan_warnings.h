// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/report.h"

#include <vector>

namespace core {

/// What a person should know of a plan that works but may disappoint.
std::vector<PlanWarning> planWarnings(const ModelSpec& spec, const SurgeryPlan& plan);

}  // namespace core
