// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/plan_warnings.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr double kLargeNoise = 0.1;
constexpr double kLargeDrop = 0.5;

class Warnings {
  public:
    explicit Warnings(std::vector<PlanWarning>& list) : list_(list) {}
    void in(const std::string& block) { block_ = block; }
    void add(std::string text) { list_.push_back({block_, std::move(text)}); }

  private:
    std::vector<PlanWarning>& list_;
    std::string block_;
};

void warnOfRouting(Warnings& warnings, const MoeSpec& moe) {
    const bool topK = moe.router == RouterKind::TopK;
    const auto experts = static_cast<double>(moe.experts);
    if (moe.experts == 1) {
        warnings.add("one expert is the dense MLP with a router beside it");
    } else if (topK && moe.k == moe.experts) {
        warnings.add(
            fmt::format("k = {} uses every expert for every token: nothing is sparse", moe.k));
    } else if (!topK && moe.capacity >= experts) {
        warnings.add(
            fmt::format("capacity {} reaches the {} experts: every expert takes every "
                        "token, nothing is sparse",
                        moe.capacity, moe.experts));
    }
    if (topK && !moe.dropless && moe.capacity < moe.k)
        warnings.add(
            fmt::format("capacity {} is less than k = {}: at least {:.0f} % of the "
                        "assignments are dropped",
                        moe.capacity, moe.k, 100 * (1 - moe.capacity / moe.k)));
    if (topK && !moe.dropless && moe.capacity > experts)
        warnings.add(fmt::format("capacity {} is more than the {} experts can use", moe.capacity,
                                 moe.experts));
    if (!topK && moe.capacity < 1)
        warnings.add(
            fmt::format("capacity {} leaves at least {:.0f} % of the tokens without an "
                        "expert",
                        moe.capacity, 100 * (1 - moe.capacity)));
}

void warnOfStart(Warnings& warnings, const LayerPlan& layer, Family family) {
    if (layer.routerInit.kind == RouterInit::Kind::Zero ||
        (layer.routerInit.kind == RouterInit::Kind::Normal && layer.routerInit.std == 0))
        warnings.add("a zero router ties: at first every token prefers the same experts");
    if (family == Family::Vit && !layer.moe.renormalize && layer.moe.experts > 1)
        warnings.add(
            "renormalize is off: the combine weights of a new router sum to far less than "
            "1, so the model starts well below the dense one (the paper turns it on for "
            "vision)");
    if (family != Family::Vit && layer.moe.renormalize)
        warnings.add("renormalize is on: the paper turns it off for language");
    switch (layer.experts.kind) {
        case ExpertInit::Kind::Copy:
            break;
        case ExpertInit::Kind::Noise:
            if (layer.experts.amount > kLargeNoise)
                warnings.add(
                    fmt::format("noise of {} times the weights' deviation is large; the "
                                "paper found small noise useless and large noise harmful",
                                layer.experts.amount));
            break;
        case ExpertInit::Kind::Drop:
            if (layer.experts.amount > kLargeDrop)
                warnings.add(
                    fmt::format("drawing {:.0f} % of the neurons anew is more than the "
                                "half that was found best",
                                100 * layer.experts.amount));
            break;
        case ExpertInit::Kind::Random:
            warnings.add(
                "random experts throw the dense MLP away; the paper found that they take "
                "very long to catch up");
            break;
    }
}

}  // namespace

std::vector<PlanWarning> planWarnings(const ModelSpec& spec, const SurgeryPlan& plan) {
    std::vector<PlanWarning> list;
    Warnings warnings(list);
    for (const BlockSpec& block : spec.blocks) {
        const auto found = plan.layers.find(block.name);
        if (found == plan.layers.end()) continue;
        warnings.in(block.name);
        if (block.index == 0)
            warnings.add("the paper found converting the very first block problematic");
        warnOfRouting(warnings, found->second.moe);
        warnOfStart(warnings, found->second, spec.family);
    }
    return list;
}

}  // namespace core
