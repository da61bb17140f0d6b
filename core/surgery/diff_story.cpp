// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff_story.h"

#include "core/base/error.h"
#include "core/model/expected_tensors_internal.h"
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

/// The MLP tensors of a checkpoint's blocks, by block name.
class Mlps {
  public:
    Mlps(const Checkpoint& checkpoint, const ModelSpec& spec)
        : checkpoint_(checkpoint),
          tensors_(expectedTensors(spec, vitNames(checkpoint.tensors()))),
          byBlock_(mlpsOf(tensors_)) {}

    const Checkpoint& checkpoint() const { return checkpoint_; }
    MlpTensors of(const std::string& block) const {
        const auto found = byBlock_.find(block);
        return found == byBlock_.end() ? MlpTensors() : found->second;
    }

  private:
    const Checkpoint& checkpoint_;
    std::vector<ExpectedTensor> tensors_;
    std::unordered_map<std::string_view, MlpTensors> byBlock_;
};

/// How the experts of a block of `b` relate to the dense MLP in `a`.
std::string originOfExperts(const Mlps& a, const Mlps& b, const std::string& block) {
    const std::vector<const ExpectedTensor*> denseMlp = a.of(block).dense;
    const std::vector<const ExpectedTensor*> experts = b.of(block).experts;
    if (denseMlp.size() != experts.size() || experts.empty()) return "experts of another origin";
    double worst = 0;
    bool converted = false;
    for (std::size_t i = 0; i < experts.size(); ++i) {
        const TensorInfo* dense = a.checkpoint().find(denseMlp[i]->name);
        for (std::int64_t e = 0; e < experts[i]->experts; ++e) {
            const TensorInfo* expert = b.checkpoint().find(expertName(experts[i]->name, e));
            if (dense == nullptr || expert == nullptr || dense->shape != expert->shape)
                return "experts of another origin";
            const TensorDifference difference =
                compareTensors(a.checkpoint(), *dense, b.checkpoint(), *expert, true);
            worst = std::max(worst, difference.relative());
            converted = converted || dense->dtype != expert->dtype;
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

void tellBlocks(const Checkpoint& a, const Checkpoint& b, std::vector<std::string>& story) {
    const std::optional<ModelSpec> before = specOf(a);
    const std::optional<ModelSpec> after = specOf(b);
    if (!before || !after) return;
    if (before->family != after->family) {
        story.push_back(fmt::format("the family is another: {} -> {}", familyName(before->family),
                                    familyName(after->family)));
        return;
    }
    Sentences sentences;
    const Mlps mlpsBefore(a, *before);
    const Mlps mlpsAfter(b, *after);
    for (const BlockSpec& block : after->blocks) {
        const BlockSpec* old = before->find(block.name);
        if (old == nullptr)
            sentences.add(block.moe ? "were added, MoE" : "were added", block);
        else if (block.moe && !old->moe)
            sentences.add(fmt::format("became MoE, {}, {}", settings(*block.moe),
                                      originOfExperts(mlpsBefore, mlpsAfter, block.name)),
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
                                   const CheckpointDiff& diff) {
    std::vector<std::string> story;
    tellBlocks(a, b, story);
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
