// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/checkpoint_folder.h"
#include "core/run/job_data.h"
#include "core/run/run_directory.h"

#include <atomic>
#include <memory>
#include <string>

namespace core {

/// What a trainer holds in memory: the model, where it is in the data, and the optimizer.
struct Session {
    TrainingState state;  ///< as last loaded or saved
    std::unique_ptr<Model> model;
    CarriedParts carried;
    std::unique_ptr<JobData> data;
    std::unique_ptr<BatchSource> batches;
    std::unique_ptr<Trainer> trainer;
};

/// From a whole checkpoint of the run. `job` gives what a resume may change (nothing that alters
/// the losses) and the trainer's loss, clip and microbatch; schedule, optimizer and data position
/// come from training.json.
std::unique_ptr<Session> resumeSession(const RunDirectory& run, const JobSpec& job,
                                       std::int64_t step, std::shared_ptr<Backend> backend);

/// Makes checkpoints/step-00000000 (the model converted by the plan to f32, or a random start;
/// optimizer moments carried to each expert, or absent) and opens it. `cancel` -> Stopped.
std::unique_ptr<Session> startSession(const RunDirectory& run, const JobSpec& job,
                                      const std::shared_ptr<Backend>& backend,
                                      const std::atomic<bool>& cancel);

/// Writes the session as checkpoints/step-N, whole or not at all; disk space is asked first.
/// Returns the path relative to the run.
std::string saveSession(const RunDirectory& run, Session& session);

/// Deletes all but the newest `keep` checkpoints (0 = keeps all).
void pruneCheckpoints(const RunDirectory& run, int keep);

/// Deletes what killed trainers left: everything with ".tmp" in its name below checkpoints/. Only
/// for the holder of run.lock.
void removeLeftovers(const RunDirectory& run);

/// The loader settings of a job: what training and evaluation share.
LoaderOptions loaderOptions(const JobSpec& job, const ModelSpec& spec);

ImageShape imageShape(const ModelSpec& spec);

}  // namespace core
