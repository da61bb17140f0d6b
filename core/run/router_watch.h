// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"
#include "core/run/event.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// Decides at which steps router events are written: at most about kMostEvents a layer over a run
/// of `steps`, and besides, early on, at least one a second.
class RouterPace {
  public:
    static constexpr std::int64_t kMostEvents = 2000;
    static constexpr int kEarlyEvents = 120;

    explicit RouterPace(std::int64_t steps);
    /// `step`: the one about to be done (from 1); `now`: seconds of any steady clock.
    bool due(std::int64_t step, double now);

  private:
    std::int64_t every_;
    double last_ = 0;
    int early_ = 0;
    bool any_ = false;
};

/// Notices routers that go wrong, from the statistics of observed steps, each trouble once until it
/// has passed. "dead-expert": under Top-K an expert with load 0 for kPatience observations.
/// "collapse": for as long, the K most loaded experts take 90 % of all assignments (Top-K), or all
/// experts want the same tokens (Expert Choice: no more than 1.25 C/E of the tokens are routed).
class RouterWatch {
  public:
    static constexpr int kPatience = 50;

    explicit RouterWatch(const ModelSpec& spec);
    std::vector<AlarmEvent> see(const RouterStats& stats);

  private:
    struct Layer {
        MoeSpec moe;
        std::vector<int> idle;  ///< observations in a row without a token, by expert
        int collapsed = 0;
    };
    static bool isCollapsed(const MoeSpec& moe, const RouterStats& stats);

    std::map<std::string, Layer, std::less<>> layers_;
};

}  // namespace core
