// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/run_directory.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace upcycle {

/// The document of `status --json` and `watch --json`.
nlohmann::ordered_json statusJson(const std::string& run, const core::RunStatus& status);

}  // namespace upcycle
