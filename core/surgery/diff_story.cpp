// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff_story.h"

#include "core/base/error.h"
#include "core/surgery/diff_watch.h"
#include "core/surgery/expert_cosines.h"
#include "core/surgery/tensor_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace core {
namespace {

using Kind = TensorChange::Kind;

/// The model in a container, where it holds one.
std::optional<ModelSpec> specOf(const Checkpoint& checkpoint) {
    try {
        return readSpecUnchecked(checkpoint);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string settings(const MoeSpec& moe) {
    std::string text = fmt::format("{} experts each, {}", moe.experts, routerName(moe.router));
    if (moe.router == RouterKind::TopK) text += fmt::format(", k = {}", moe.k);
    return text + (moe.dropless ? ", dropless" : fmt::format(", capacity {}", moe.capacity));
}

/// How the experts of a block of `b` relate to the dense MLP in `a`.
std::string originOfExperts(const Checkpoint& a, const Checkpoint& b,
                            const std::vector<ExpertBlock>& experts, const std::string& block,
                            DiffWatch& watch) {
    const auto found = std::find_if(experts.begin(), experts.end(),
                                    [&](const ExpertBlock& one) { return one.block == block; });
    if (found == experts.end() || found->pieces.front().before.size() != 1)
        return "experts of another origin";
    watch.begin(block);
    double worst = 0;
    bool converted = false;
    for (const ExpertBlock::Piece& piece : found->pieces) {
        const TensorInfo& dense = *piece.before.front();
        for (const TensorInfo* expert : piece.experts) {
            const TensorDifference difference = compareTensors(a, dense, b, *expert, true, watch);
            worst = std::max(worst, difference.relative());
            converted = converted || dense.dtype != expert->dtype;
        }
    }
    if (worst == 0)
        return converted ? "all copies of the dense MLP (in another type)"
                         : "all copies of the dense MLP";
    return fmt::format("made from the dense MLP or not: up to {:.2g} away from it, relatively",
                       worst);
}

/// Blocks by the sentence that is true of them, in order of the first block.
class Sentences {
  public:
    void add(const std::string& text, const BlockSpec& block) {
        const auto [found, isNew] = place_.try_emplace(text, groups_.size());
        if (isNew) groups_.push_back({text, {}});
        groups_[found->second].second.push_back(block);
    }
    void appendTo(std::vector<std::string>& story) const {
        for (const auto& [text, blocks] : groups_)
            story.push_back(fmt::format("{} {} {}", blocks.size() == 1 ? "block" : "blocks",
                                        blockRanges(blocks), text));
    }

  private:
    std::map<std::string, std::size_t> place_;
    std::vector<std::pair<std::string, std::vector<BlockSpec>>> groups_;
};

void tellBlocks(const Checkpoint& a, const Checkpoint& b, std::vector<std::string>& story,
                DiffWatch& watch) {
    const std::optional<ModelSpec> before = specOf(a);
    const std::optional<ModelSpec> after = specOf(b);
    if (!before || !after) return;
    if (before->family != after->family) {
        story.push_back(fmt::format("the family is another: {} -> {}", familyName(before->family),
                                    familyName(after->family)));
        return;
    }
    const std::vector<ExpertBlock> experts = findExpertBlocks(a, b);
    Sentences sentences;
    for (const BlockSpec& block : after->blocks) {
        const BlockSpec* old = before->find(block.name);
        if (old == nullptr)
            sentences.add(block.moe ? "were added, MoE" : "were added", block);
        else if (block.moe && !old->moe)
            sentences.add(fmt::format("became MoE, {}, {}", settings(*block.moe),
                                      originOfExperts(a, b, experts, block.name, watch)),
                          block);
        else if (!block.moe && old->moe)
            sentences.add("became dense", block);
        else if (block.moe && !(*block.moe == *old->moe))
            sentences.add(
                fmt::format("changed from {} to {}", settings(*old->moe), settings(*block.moe)),
                block);
    }
    for (const BlockSpec& block : before->blocks)
        if (after->find(block.name) == nullptr) sentences.add("were removed", block);
    sentences.appendTo(story);
}

}  // namespace

std::string blockRanges(const std::vector<BlockSpec>& blocks) {
    std::string text;
    for (std::size_t i = 0; i < blocks.size();) {
        std::size_t last = i;
        while (last + 1 < blocks.size() && blocks[last + 1].stack == blocks[i].stack &&
               blocks[last + 1].index == blocks[last].index + 1)
            ++last;
        if (!text.empty()) text += ", ";
        text += blocks[i].name;
        if (last > i) text += fmt::format("-{}", blocks[last].index);
        i = last + 1;
    }
    return text;
}

std::vector<std::string> tellStory(const Checkpoint& a, const Checkpoint& b,
                                   const CheckpointDiff& diff, DiffWatch& watch) {
    std::vector<std::string> story;
    tellBlocks(a, b, story, watch);
    std::map<Kind, std::size_t> counts;
    double worst = 0;
    for (const TensorChange& change : diff.changes) {
        ++counts[change.kind];
        if (change.kind == Kind::Changed) worst = std::max(worst, change.relative);
    }
    const auto count = [](std::size_t n) {
        return fmt::format("{} tensor{}", n, n == 1 ? "" : "s");
    };
    if (counts[Kind::Changed] > 0)
        story.push_back(fmt::format("{} changed, by up to {:.2g} relatively",
                                    count(counts[Kind::Changed]), worst));
    if (counts[Kind::Retyped] > 0)
        story.push_back(count(counts[Kind::Retyped]) + " changed their type");
    if (counts[Kind::Reshaped] > 0)
        story.push_back(count(counts[Kind::Reshaped]) + " changed their shape");
    if (diff.changes.empty())
        story.push_back(fmt::format("all {} are the same", count(diff.unchanged)));
    else if (counts[Kind::Changed] + counts[Kind::Retyped] + counts[Kind::Reshaped] == 0)
        story.push_back(fmt::format("the other {} are the same", count(diff.unchanged)));
    return story;
}

}  // namespace core
