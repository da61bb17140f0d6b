// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>
#include <span>
#include <vector>

namespace core::ops {

/// The slot tables of an Assignment (host tensors) from the accepted tokens of every expert:
/// accepted[e] in slot order. The statistics (requested, groupTokens, groupRequested, askedExperts)
/// are left to the router.
Assignment makeAssignment(std::int64_t tokens, std::span<const std::vector<std::int32_t>> accepted);

/// Fetches what only the device knows: the host's offsets and requested. Waits for it then.
void readCounts(Backend& backend, Assignment& assignment);

}  // namespace core::ops
