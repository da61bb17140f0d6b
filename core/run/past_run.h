// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstdint>
#include <deque>
#include <utility>

namespace core {

/// What a trainer must know of its run's earlier trainers, from events.jsonl.
struct PastRun {
    bool began = false;               ///< there is a hello
    bool finished = false;            ///< the last one wrote done: finished
    std::int64_t step = 0;            ///< of the last event
    std::uint64_t controlOffset = 0;  ///< orders before it have been obeyed
    /// Learning rates set, with the step at which each was obeyed; one that came later in time
    /// replaces those of later steps.
    std::deque<std::pair<std::int64_t, double>> learningRates;
};
PastRun readPastRun(const Path& eventsFile);

}  // namespace core
