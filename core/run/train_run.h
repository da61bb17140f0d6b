// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/run_directory.h"

#include <functional>
#include <string>

namespace core {

struct TrainOptions {
    std::optional<std::string> device;
    std::optional<DType> dtype;
    std::optional<int> threads;
    std::function<void(const Event&)> observer;  ///< also sees every event (progress on stderr)
};

enum class TrainOutcome { Finished, Stopped };

/// The trainer process's main job: takes run.lock (BadInput when held), goes on from the newest
/// whole checkpoint (a damaged one is said and skipped) or starts (upcycling in memory by the
/// plan), obeys control.jsonl, writes events and checkpoints. SIGTERM = stop-and-save, SIGINT =
/// stop-and-save, twice = stop now (requestStop).
TrainOutcome trainRun(const Path& run, const TrainOptions& options);

/// Async-signal-safe. 1 = stop and save, 2 = stop now.
void requestStop(int level) noexcept;

}  // namespace core
