// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff.h"

#include "core/base/error.h"
#include "core/surgery/diff_story.h"
#include "core/surgery/diff_watch.h"
#include "core/surgery/tensor_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace core {
namespace {

using Kind = TensorChange::Kind;

std::string described(const TensorInfo& tensor) {
    return fmt::format("{} {}", dtypeName(tensor.dtype), toString(tensor.shape));
}

/// Nothing when the tensor is the same within the tolerance.
std::optional<TensorChange> compareOne(const Checkpoint& a, const TensorInfo& old,
                                       const Checkpoint& b, const TensorInfo& now, double tolerance,
                                       DiffWatch& watch) {
    TensorChange change;
    change.name = now.name;
    if (old.shape != now.shape) {
        change.kind = Kind::Reshaped;
        change.detail = fmt::format("{} -> {}", toString(old.shape), toString(now.shape));
        return change;
    }
    const TensorDifference difference = compareTensors(a, old, b, now, false, watch);
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

void expectReading(const Checkpoint& a, const Checkpoint& b, bool cosines, DiffWatch& watch) {
    for (const TensorInfo& now : b.tensors())
        if (const TensorInfo* old = a.find(now.name); old != nullptr && old->shape == now.shape)
            watch.expect(old->bytes + now.bytes);
    for (const ExpertBlock& block : findExpertBlocks(a, b)) {
        if (cosines) watch.expect(block.bytes);
        for (const ExpertBlock::Piece& piece : block.pieces)  // for the story
            if (piece.before.size() == 1)
                for (const TensorInfo* expert : piece.experts)
                    watch.expect(expert->bytes + piece.before[0]->bytes);
    }
}

void sortChanges(std::vector<TensorChange>& changes) {
    std::stable_sort(changes.begin(), changes.end(),
                     [](const TensorChange& a, const TensorChange& b) {
                         if (a.kind != b.kind) return a.kind < b.kind;
                         return a.relative > b.relative;
                     });
}

}  // namespace

void DiffWatch::add(std::uint64_t bytes) {
    progress_.done += bytes;
    if (cancel_)
        throw Error(ErrorKind::Stopped, "stopped by request",
                    "nothing was written; give the command again to start over");
    if (report_) report_(progress_);
}

CheckpointDiff diffCheckpoints(const Checkpoint& a, const Checkpoint& b, const DiffOptions& options,
                               const std::function<void(const DiffProgress&)>& progress,
                               const std::atomic<bool>& cancel) {
    DiffWatch watch(progress, cancel);
    expectReading(a, b, options.experts, watch);
    CheckpointDiff diff;
    for (const TensorInfo& old : a.tensors())
        if (b.find(old.name) == nullptr)
            diff.changes.push_back({old.name, Kind::Removed, described(old)});
    for (const TensorInfo& now : b.tensors()) {
        watch.begin(now.name);
        const TensorInfo* old = a.find(now.name);
        if (old == nullptr)
            diff.changes.push_back({now.name, Kind::Added, described(now)});
        else if (auto change = compareOne(a, *old, b, now, options.tolerance, watch))
            diff.changes.push_back(std::move(*change));
        else
            ++diff.unchanged;
    }
    sortChanges(diff.changes);
    diff.story = tellStory(a, b, diff, watch);
    if (!options.experts) return diff;
    for (const ExpertBlock& block : findExpertBlocks(a, b)) {
        watch.begin(block.block);
        diff.experts.push_back(
            cosinesOf(a, b, block, cancel, [&](std::uint64_t bytes) { watch.add(bytes); }));
    }
    return diff;
}

std::string_view changeName(TensorChange::Kind kind) noexcept {
    switch (kind) {
        case Kind::Added:
            return "added";
        case Kind::Removed:
            return "removed";
        case Kind::Reshaped:
            return "reshaped";
        case Kind::Retyped:
            return "retyped";
        case Kind::Changed:
            break;
    }
    return "changed";
}

}  // namespace core
