// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/run_directory.h"

#include <functional>
#include <optional>
#include <string>

namespace core {

struct TrainOptions {
    std::optional<std::string> device;
    std::optional<DType> dtype;
    std::optional<int> threads;
    std::function<void(const Event&)> observer;  ///< also sees every event (progress on stderr)
};

enum class TrainOutcome { Finished, Stopped };

/// The trainer process's main job on the run at `path`: takes run.lock (BadInput when held), goes
/// on from the newest whole checkpoint (a damaged one is said in an alarm and skipped) or starts by
/// making step-00000000 (the plan carried out), obeys control.jsonl, writes events and checkpoints.
/// What it throws has been written as an `error` event before, where there was room. A run that has
/// finished returns Finished and writes nothing.
TrainOutcome trainRun(const Path& path, const TrainOptions& options);

/// Async-signal-safe. 1 = stop and save, 2 = stop now. SIGTERM and the first SIGINT are 1, the
/// second SIGINT is 2.
void requestStop(int level) noexcept;

}  // namespace core
