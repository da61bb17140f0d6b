// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/config_internal.h"
#include "core/model/spec.h"

#include <span>
#include <string>
#include <string_view>

namespace core {

/// A block's entry as config.json and plan.json carry it: experts, capacity (absent when dropless),
/// router, renormalize, group_size and, for Top-K, k, order, dropless, batch_priority.
config::Json moeToJson(const MoeSpec& moe);

/// The reverse. A missing key takes its value from `defaults`, or is BadInput without them; a key
/// that is neither of the entry nor in `furtherKeys` is BadInput by name. Ranges are checked by
/// `validate`, which the caller calls.
MoeSpec moeFromJson(const config::Json& entry, const std::string& where, const MoeSpec* defaults,
                    std::span<const std::string_view> furtherKeys = {});

/// The "upcycling" value of a config: fills the blocks' `moe`, validated. An unknown block or key,
/// or a newer schema, is BadInput.
void readUpcycling(const config::Json& upcycling, const std::string& where, ModelSpec& spec);

/// {"schema": 1, "blocks": {...}}, or null when no block is MoE.
config::Json upcyclingToJson(const ModelSpec& spec);

}  // namespace core
