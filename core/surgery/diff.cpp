// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff.h"

#include "core/surgery/diff_story.h"
#include "core/surgery/tensor_difference.h"

#include <fmt/format.h>

#include <optional>

namespace core {
namespace {

using Kind = TensorChange::Kind;

std::string described(const TensorInfo& tensor) {
    return fmt::format("{} {}", dtypeName(tensor.dtype), toString(tensor.shape));
}

/// Nothing when the tensor is the same within the tolerance.
std::optional<TensorChange> compareOne(const Checkpoint& a, const TensorInfo& old,
                                       const Checkpoint& b, const TensorInfo& now,
                                       double tolerance) {
    TensorChange change;
    change.name = now.name;
    if (old.shape != now.shape) {
        change.kind = Kind::Reshaped;
        change.detail = fmt::format("{} -> {}", toString(old.shape), toString(now.shape));
        return change;
    }
    const TensorDifference difference = compareTensors(a, old, b, now, false);
    change.maxDifference = difference.largest;
    change.relative = difference.relative();
    if (old.dtype != now.dtype) {
        change.kind = Kind::Retyped;
        change.detail = fmt::format("{} -> {}", dtypeName(old.dtype), dtypeName(now.dtype));
        return change;
    }
    const bool differs = isFloating(now.dtype) ? change.relative > tolerance : !difference.sameBits;
    if (!differs) return std::nullopt;
    change.detail = fmt::format("up to {:.3g}", change.maxDifference);
    return change;
}

}  // namespace

CheckpointDiff diffCheckpoints(const Checkpoint& a, const Checkpoint& b, double tolerance) {
    CheckpointDiff diff;
    for (const TensorInfo& old : a.tensors())
        if (b.find(old.name) == nullptr)
            diff.changes.push_back({old.name, Kind::Removed, described(old)});
    for (const TensorInfo& now : b.tensors()) {
        const TensorInfo* old = a.find(now.name);
        if (old == nullptr)
            diff.changes.push_back({now.name, Kind::Added, described(now)});
        else if (auto change = compareOne(a, *old, b, now, tolerance))
            diff.changes.push_back(std::move(*change));
        else
            ++diff.unchanged;
    }
    diff.story = tellStory(a, b, diff);
    return diff;
}

}  // namespace core
