// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <string>
#include <vector>

namespace core {

struct TensorChange {
    std::string name;
    enum class Kind { Added, Removed, Reshaped, Retyped, Changed } kind = Kind::Changed;
    std::string detail;        ///< "[96] -> [384]", "F32 -> BF16"
    double maxDifference = 0;  ///< max |a - b| (Changed, Retyped)
    double relative = 0;       ///< max |a - b| / max |a|
};

struct CheckpointDiff {
    std::vector<std::string> story;  ///< sentences: "blocks encoder.3-5 became MoE, 8 experts each,
                                     ///< all copies of the dense MLP"
    std::vector<TensorChange> changes;
    std::size_t unchanged = 0;
};

/// `tolerance`: relative differences up to it count as unchanged.
CheckpointDiff diffCheckpoints(const Checkpoint& a, const Checkpoint& b, double tolerance);

}  // namespace core
