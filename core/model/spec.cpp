// SPDX-License-Identifier: Apache-2.0
#include "core/model/spec.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr std::int64_t kMostExperts = 65536;
constexpr double kMostCapacity = 65536;

[[noreturn]] void refuse(const std::string& block, const std::string& what,
                         const std::string& hint) {
    throw Error(ErrorKind::BadInput, block + ": " + what, hint);
}

}  // namespace

std::string_view familyName(Family family) noexcept {
    switch (family) {
        case Family::Vit:
            return "vit";
        case Family::T5:
            return "t5";
        case Family::Llama:
            return "llama";
    }
    return "";
}

std::string_view routerName(RouterKind kind) noexcept {
    return kind == RouterKind::TopK ? "top-k" : "expert-choice";
}

std::optional<RouterKind> routerFromName(std::string_view name) noexcept {
    if (name == routerName(RouterKind::ExpertChoice)) return RouterKind::ExpertChoice;
    if (name == routerName(RouterKind::TopK)) return RouterKind::TopK;
    return std::nullopt;
}

std::string_view topKOrderName(TopKOrder order) noexcept {
    return order == TopKOrder::TopKSoftmax ? "topk-softmax" : "softmax-topk";
}

std::optional<TopKOrder> topKOrderFromName(std::string_view name) noexcept {
    if (name == topKOrderName(TopKOrder::SoftmaxTopK)) return TopKOrder::SoftmaxTopK;
    if (name == topKOrderName(TopKOrder::TopKSoftmax)) return TopKOrder::TopKSoftmax;
    return std::nullopt;
}

std::string toString(const GroupSize& group) {
    switch (group.kind) {
        case GroupSize::Kind::Batch:
            return "batch";
        case GroupSize::Kind::Sequence:
            return "sequence";
        case GroupSize::Kind::Tokens:
            return std::to_string(group.tokens);
    }
    return "";
}

std::optional<GroupSize> groupSizeFromName(std::string_view text) noexcept {
    if (text == "batch") return GroupSize{};
    if (text == "sequence") return GroupSize{GroupSize::Kind::Sequence, 0};
    std::int64_t tokens = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), tokens);
    if (problem != std::errc() || end != text.data() + text.size() || tokens < 1)
        return std::nullopt;
    return GroupSize{GroupSize::Kind::Tokens, tokens};
}

const BlockSpec* ModelSpec::find(std::string_view name) const {
    for (const BlockSpec& block : blocks)
        if (block.name == name) return &block;
    return nullptr;
}

void validate(const MoeSpec& moe, const std::string& block, bool causal) {
    const bool topK = moe.router == RouterKind::TopK;
    if (moe.experts < 1 || moe.experts > kMostExperts)
        refuse(block, fmt::format("experts is {}, expected 1 to {}", moe.experts, kMostExperts),
               "choose a number of experts such as 8 or 32");
    if (!(topK && moe.dropless) &&
        !(std::isfinite(moe.capacity) && moe.capacity > 0 && moe.capacity <= kMostCapacity))
        refuse(block,
               fmt::format("capacity is {}, expected a number above 0 and at most {}", moe.capacity,
                           kMostCapacity),
               "capacity is the average number of experts a token can use, such as 2");
    if (topK && (moe.k < 1 || moe.k > moe.experts))
        refuse(block, fmt::format("k is {}, expected 1 to {} (the experts)", moe.k, moe.experts),
               "choose k no larger than the number of experts");
    if (!topK && moe.dropless)
        refuse(block, "dropless is a setting of the router top-k, found expert-choice",
               "give a capacity, or choose the router top-k");
    if (moe.group.kind == GroupSize::Kind::Tokens &&
        (moe.group.tokens < 1 || moe.group.tokens > std::numeric_limits<std::int32_t>::max()))
        refuse(block, fmt::format("group_size is {}, expected at least 1", moe.group.tokens),
               "give \"batch\", \"sequence\" or a number of tokens");
    if (causal && !topK)
        refuse(block,
               "the router expert-choice in a causal decoder: it looks at all tokens of a group, "
               "so a token would see the future",
               "choose the router top-k for decoder blocks");
    if (causal && moe.batchPriority)
        refuse(block,
               "batch_priority in a causal decoder: a later token could take an earlier one's "
               "place",
               "turn batch_priority off for decoder blocks");
}

std::string VitNames::block(int index) const {
    return fmt::format("{}encoder.layer.{}.", prefix, index);
}

}  // namespace core
