// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"
#include "core/surgery/diff.h"

#include <string>
#include <vector>

namespace core {

class DiffWatch;

/// What happened between `a` and `b` in sentences; `changes` and `unchanged` are the comparison
/// tensor by tensor. Reads the experts of blocks that became MoE.
std::vector<std::string> tellStory(const Checkpoint& a, const Checkpoint& b,
                                   const CheckpointDiff& diff, DiffWatch& watch);

/// Names of blocks as people write them: "encoder.3-5, encoder.9".
std::string blockRanges(const std::vector<BlockSpec>& blocks);

}  // namespace core
