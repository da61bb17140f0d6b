// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"
#include "core/surgery/plan.h"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace upcycle {

/// The options that make a plan: which blocks, and how each becomes MoE.
struct PlanOptions {
    std::string preset, layers;
    std::optional<std::uint64_t> seed;
    bool dropless = false;
    std::map<std::string, std::string> settings;  ///< of every block, by the keys of plan.json
    std::vector<std::string> assignments;
};

/// `options` filled after parsing.
void addPlanOptions(CLI::App& app, PlanOptions& options);

/// Whether any of them is given that changes a plan.
bool isGiven(const PlanOptions& options);

/// Usage or BadInput names the option that cannot work with this model.
core::SurgeryPlan makePlan(const core::ModelSpec& spec, const PlanOptions& options);

}  // namespace upcycle
