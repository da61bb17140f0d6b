// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/surgery/expert_cosines.h"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

struct TensorChange {
    std::string name;
    enum class Kind { Removed, Added, Reshaped, Retyped, Changed } kind = Kind::Changed;
    std::string detail;        ///< "[96] -> [384]", "F32 -> BF16"
    double maxDifference = 0;  ///< max |a - b| (Changed, Retyped)
    double relative = 0;       ///< max |a - b| / max |a|
};

struct CheckpointDiff {
    std::vector<std::string> story;  ///< sentences: "blocks encoder.3-5 became MoE, 8 experts each,
                                     ///< all copies of the dense MLP"
    /// In the order of their kinds; what differs in values by the relative difference, the largest
    /// first, all others in file order.
    std::vector<TensorChange> changes;
    std::size_t unchanged = 0;
    std::vector<ExpertCosines> experts;  ///< of b's MoE blocks, where they were asked for
};

struct DiffOptions {
    double tolerance = 0;  ///< relative differences up to it count as unchanged
    bool experts = false;  ///< the experts' cosines as well: E^2 products of every MoE block
};

/// How far a comparison is; `name` is the tensor or block that is being read.
struct DiffProgress {
    std::uint64_t done = 0, total = 0;  ///< bytes
    std::string_view name;
};

/// Streams both checkpoints in bounded pieces. `cancel` -> Stopped.
CheckpointDiff diffCheckpoints(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options,
                               const std::function<void(const DiffProgress&)>& progress,
                               const std::atomic<bool>& cancel);

/// "removed", "added", "reshaped", "retyped", "changed".
std::string_view changeName(TensorChange::Kind kind) noexcept;

}  // namespace core
