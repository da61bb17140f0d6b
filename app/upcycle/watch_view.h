// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/upcycle/watch_state.h"

#include <string>
#include <vector>

namespace upcycle {

/// The live view as lines of at most `columns` characters: progress, loss sparkline, numbers, one
/// line of load bars a layer, evaluation, alarms.
std::vector<std::string> watchLines(const std::string& run, const WatchState& state, int columns);

/// The same facts in one line, for logs and pipes.
std::string watchLine(const WatchState& state);

}  // namespace upcycle
