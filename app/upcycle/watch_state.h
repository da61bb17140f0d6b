// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/event.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace upcycle {

/// What the live view shows, gathered from a run's events; a resumed run's void steps are cut.
class WatchState {
  public:
    void see(const core::Event& event);

    std::int64_t step = 0, steps = 0;
    std::string device, state;
    bool texts = false;  ///< the run's job is one of texts
    bool ended = false;  ///< done or error seen, and no hello since
    core::StepEvent last;
    std::vector<double> losses;  ///< by step, from 1
    std::map<std::string, core::RouterEvent> routers;
    std::optional<core::EvalEvent> eval;
    std::int64_t evalStep = 0;
    std::deque<std::string> alarms;  ///< the newest few

    /// Recent median, 0 when unknown.
    double secondsPerStep() const;

  private:
    std::deque<double> seconds_;
};

}  // namespace upcycle
