// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/profile.h"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace upcycle {

/// A line of the table: an op, or an op with tensors of one size, per step.
struct ProfileRow {
    std::string op, sizes;  ///< sizes: empty where all are together
    double calls = 0;
    double seconds = 0;
    core::OpWork work;
    double floor = 0;  ///< seconds
};

/// By decreasing time; `bySizes`: sizes stay apart.
std::vector<ProfileRow> profileRows(const core::StepProfile& profile, bool bySizes);

/// stdout: the tables for people.
void printProfile(const core::StepProfile& profile, bool bySizes);

/// The same facts.
nlohmann::ordered_json profileJson(const core::StepProfile& profile, bool bySizes);

}  // namespace upcycle
