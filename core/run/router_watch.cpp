// SPDX-License-Identifier: Apache-2.0
#include "core/run/router_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace core {

RouterPace::RouterPace(std::int64_t steps)
    : every_(std::max<std::int64_t>((steps + kMostEvents - 1) / kMostEvents, 1)) {}

bool RouterPace::due(std::int64_t step, double now) {
    const bool regular = step % every_ == 0 || !any_;
    const bool early = early_ < kEarlyEvents && now - last_ >= 1.0;
    if (!regular && !early) return false;
    if (!regular) ++early_;
    any_ = true;
    last_ = now;
    return true;
}

RouterWatch::RouterWatch(const ModelSpec& spec) {
    for (const BlockSpec& block : spec.blocks)
        if (block.moe)
            layers_[block.name] = {
                *block.moe, std::vector<int>(static_cast<std::size_t>(block.moe->experts)), 0};
}

bool RouterWatch::isCollapsed(const MoeSpec& moe, const RouterStats& stats) {
    const auto experts = static_cast<double>(moe.experts);
    if (moe.router == RouterKind::ExpertChoice) {
        const double share = 1.25 * moe.capacity / experts;
        return share < 0.75 && 1.0 - stats.unrouted <= share;
    }
    if (moe.experts < 2L * moe.k) return false;
    std::vector<double> load = stats.load;
    std::sort(load.begin(), load.end(), std::greater<>());
    const double all = std::accumulate(load.begin(), load.end(), 0.0);
    const double most = std::accumulate(load.begin(), load.begin() + moe.k, 0.0);
    return all > 0 && most >= 0.9 * all;
}

std::vector<AlarmEvent> RouterWatch::see(const RouterStats& stats) {
    const auto found = layers_.find(stats.block);
    if (found == layers_.end() || stats.load.size() != found->second.idle.size()) return {};
    Layer& layer = found->second;
    std::vector<AlarmEvent> alarms;
    if (layer.moe.router == RouterKind::TopK)
        for (std::size_t expert = 0; expert < stats.load.size(); ++expert) {
            layer.idle[expert] = stats.load[expert] == 0 ? layer.idle[expert] + 1 : 0;
            if (layer.idle[expert] == kPatience)
                alarms.push_back(
                    {"dead-expert", stats.block,
                     fmt::format("expert {} of {} has taken no token in {} observed steps", expert,
                                 stats.block, kPatience)});
        }
    layer.collapsed = isCollapsed(layer.moe, stats) ? layer.collapsed + 1 : 0;
    if (layer.collapsed == kPatience)
        alarms.push_back(
            {"collapse", stats.block,
             layer.moe.router == RouterKind::TopK
                 ? fmt::format("{} experts of {} take over 90 % of the tokens", layer.moe.k,
                               stats.block)
                 : fmt::format("the experts of {} all choose the same tokens: {:.0f} % "
                               "of the tokens are unrouted",
                               stats.block, 100 * stats.unrouted)});
    return alarms;
}

}  // namespace core
