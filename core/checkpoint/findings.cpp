// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/findings.h"

#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace core {
namespace {

constexpr std::size_t kMostGroups = 40;
constexpr std::size_t kNamedAtOnce = 3;

using Kind = Finding::Kind;
using Group = std::vector<std::size_t>;  ///< tensors of the same type, shape and bytes

/// "a", "a and b", "a, b, c and 5 more".
std::string listed(const std::vector<std::string>& names) {
    std::string text = names.front();
    const std::size_t named = std::min(names.size(), kNamedAtOnce);
    for (std::size_t i = 1; i < named; ++i)
        text += (i + 1 == names.size() ? " and " : ", ") + names[i];
    if (names.size() > named) text += fmt::format(" and {} more", names.size() - named);
    return text;
}

/// "…expert_12.wo.weight" -> "…expert_*.wo.weight".
std::string withoutExpert(const std::string& name) {
    constexpr std::string_view kMark = "expert_";
    const std::size_t mark = name.find(kMark);
    if (mark == std::string::npos) return name;
    std::size_t end = mark + kMark.size();
    while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end])) != 0) ++end;
    return name.substr(0, mark + kMark.size()) + "*" + name.substr(end);
}

bool isEmbedding(const std::string& name) {
    constexpr std::array<std::string_view, 6> kEnds{
        "lm_head.weight", "shared.weight",          "embed_tokens.weight",
        "wte.weight",     "word_embeddings.weight", "predictions.decoder.weight"};
    return std::any_of(kEnds.begin(), kEnds.end(),
                       [&](std::string_view end) { return name.ends_with(end); });
}

std::vector<std::string> namesOf(const Checkpoint& checkpoint, const Group& group) {
    std::vector<std::string> names;
    for (const std::size_t i : group) names.push_back(checkpoint.tensors()[i].name);
    return names;
}

std::string sentence(const Checkpoint& checkpoint, const Group& group) {
    std::vector<std::string> names = namesOf(checkpoint, group);
    const std::string pattern = withoutExpert(names.front());
    const bool experts = pattern != names.front() &&
                         std::all_of(names.begin(), names.end(), [&](const std::string& name) {
                             return withoutExpert(name) == pattern;
                         });
    if (experts)
        return fmt::format("the {} experts {} hold the same values", names.size(),
                           printable(pattern));
    const bool tied = std::all_of(names.begin(), names.end(), isEmbedding);
    for (std::string& name : names) name = printable(name);
    return tied ? fmt::format("{} are tied: the same values, stored {} times", listed(names),
                              names.size())
                : fmt::format("{} hold the same values", listed(names));
}

/// Tensors of one value throughout (biases of zeros, gains of ones) are alike by nature.
std::vector<Group> equalTensors(const Checkpoint& checkpoint, std::span<const TensorStats> stats) {
    const std::span<const TensorInfo> tensors = checkpoint.tensors();
    Group order(stats.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::erase_if(order, [&](std::size_t i) {
        return stats[i].count < 2 || (stats[i].nonFinite() == 0 && stats[i].min == stats[i].max);
    });
    const auto same = [&](std::size_t a, std::size_t b) {
        return stats[a].digest == stats[b].digest && tensors[a].dtype == tensors[b].dtype &&
               tensors[a].shape == tensors[b].shape;
    };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (stats[a].digest != stats[b].digest) return stats[a].digest < stats[b].digest;
        if (tensors[a].dtype != tensors[b].dtype) return tensors[a].dtype < tensors[b].dtype;
        const auto left = tensors[a].shape.sizes();
        const auto right = tensors[b].shape.sizes();
        return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
    });
    std::vector<Group> groups;
    for (std::size_t i = 0; i < order.size();) {
        std::size_t end = i + 1;
        while (end < order.size() && same(order[end], order[i])) ++end;
        if (end - i > 1)
            groups.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(i),
                                order.begin() + static_cast<std::ptrdiff_t>(end));
        i = end;
    }
    std::sort(groups.begin(), groups.end(),
              [](const Group& a, const Group& b) { return a.front() < b.front(); });
    return groups;
}

void addStray(const Checkpoint& checkpoint, std::vector<Finding>& found) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kEnds{
        {{"EncDecAttention.relative_attention_bias.weight",
          "cross-attention has no position bias; old T5 files carry it and models ignore it"},
         {"embeddings.position_ids", "a row of counting numbers that newer files leave away"},
         {"rotary_emb.inv_freq", "a constant that newer files leave away"}}};
    for (const TensorInfo& tensor : checkpoint.tensors())
        for (const auto& [end, why] : kEnds)
            if (tensor.name.ends_with(end) &&
                std::none_of(found.begin(), found.end(), [&](const Finding& note) {
                    return note.text.find(tensor.name) != std::string::npos;
                }))
                found.push_back({Kind::Stray, fmt::format("{} is not part of the model: {}",
                                                          printable(tensor.name), why)});
}

void addNonFinite(const Checkpoint& checkpoint, std::span<const TensorStats> stats,
                  std::vector<Finding>& found) {
    for (std::size_t i = 0; i < stats.size(); ++i)
        if (stats[i].nonFinite() > 0)
            found.push_back(
                {Kind::NotFinite,
                 fmt::format("{} has {} values that are not finite ({} NaN, {} infinite)",
                             printable(checkpoint.tensors()[i].name), stats[i].nonFinite(),
                             stats[i].nan, stats[i].infinite)});
}

}  // namespace

std::vector<Finding> findingsOf(const Checkpoint& checkpoint, std::span<const TensorStats> stats) {
    std::vector<Finding> found;
    for (const std::string& note : checkpoint.notes()) found.push_back({Kind::Note, note});
    addStray(checkpoint, found);
    addNonFinite(checkpoint, stats, found);
    const std::vector<Group> groups = equalTensors(checkpoint, stats);
    for (std::size_t i = 0; i < std::min(groups.size(), kMostGroups); ++i)
        found.push_back({Kind::Equal, sentence(checkpoint, groups[i])});
    if (groups.size() > kMostGroups)
        found.push_back({Kind::Equal, fmt::format("{} more groups of tensors hold the same values",
                                                  groups.size() - kMostGroups)});
    return found;
}

}  // namespace core
