// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/spec.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace upcycle {

/// What inspect can say of a checkpoint's architecture, whatever its state.
struct Architecture {
    std::string family = "unknown";
    std::string layout = "unknown";       ///< Checkpoint::layout
    std::optional<core::ModelSpec> spec;  ///< empty when config and tensors do not make a model
    std::string problem;                  ///< why not
    /// Without a spec: what can be told all the same, such as a ViT whose heads are not known.
    std::optional<core::ModelSpec> seen;
};
Architecture architectureOf(const core::Checkpoint& checkpoint);

/// "architecture": the numbers of a ViT or T5, for other families the plain values of config.json.
nlohmann::ordered_json architectureJson(const Architecture& architecture,
                                        const std::string& configText);

/// "blocks": [{"name", "stack", "index", "mlp", "experts"?, "router"?, ...}].
nlohmann::ordered_json blocksJson(const core::ModelSpec& spec);

/// One line for people: "ViT, 6 blocks of 96, 3 heads, ...".
std::string architectureLine(const Architecture& architecture);

}  // namespace upcycle
