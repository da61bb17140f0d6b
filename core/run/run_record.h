// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/loss_picture.h"
#include "core/run/run_directory.h"
#include "core/run/training_state.h"

#include <map>
#include <string>
#include <vector>

namespace core {

/// What a run did until one of its checkpoints: for the model card of an export.
struct RunRecord {
    JobSpec job;
    TrainingState state;                     ///< of the checkpoint
    HelloEvent hello;                        ///< of the last trainer that came so far
    double seconds = 0;                      ///< of its steps together
    LossCurve curve;                         ///< evaluation: of the split evaluated most often
    std::map<std::string, EvalEvent> evals;  ///< the last of each split
    std::map<std::string, std::int64_t> evalSteps;
    std::vector<RouterStats> routers;  ///< the last of each block, in the blocks' order
    std::int64_t routerStep = 0;
};

/// Reads events.jsonl twice, holding little of it; events that a resume made void do not count.
RunRecord readRunRecord(const RunDirectory& run, std::int64_t step);

/// The run and the step of a checkpoint folder RUN/checkpoints/step-00000500; empty for any other
/// folder.
struct RunCheckpoint {
    Path run;
    std::int64_t step = 0;
};
std::optional<RunCheckpoint> runCheckpointOf(const Path& folder);

}  // namespace core
