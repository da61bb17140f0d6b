// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_loader.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace core {

/// training.json beside a checkpoint's weights: what lets this run or a later job go on from there
/// (schedule, normalisation, data position; every random number is keyed by `seed` and position).
struct TrainingState {
    std::int64_t step = 0;        ///< of this run
    std::int64_t globalStep = 0;  ///< over the whole life of the model
    std::string data;
    DataPosition position;
    Objective objective = Objective::Classify;
    std::int64_t batch = 0;
    std::int64_t steps = 0;  ///< that the run was to have
    OptimizerSpec optimizer;
    ScheduleSpec schedule;  ///< as it was then (`set lr` counts)
    double lr = 0;          ///< of the last step
    Augmentation augmentation;
    Normalization normalization;
    TextSpec text;
    std::uint64_t seed = 0;
    std::optional<double> denseFlops;  ///< of the dense training, where somebody gave it

    /// Bytes and CRC-32 of the files beside it, by name: how damage is noticed.
    struct FileSum {
        std::uint64_t bytes = 0;
        std::uint32_t crc32 = 0;
    };
    std::map<std::string, FileSum> files;
};

constexpr int kTrainingSchema = 1;

std::string toJson(const TrainingState& state);
/// Missing and unknown keys are tolerated; a newer schema or a key of another type is BadInput.
TrainingState trainingStateFromJson(const std::string& text, const std::string& where);

/// RUN/checkpoints/...'s or a model folder's training.json; empty when there is none.
std::optional<TrainingState> readTrainingState(const Path& folder);

}  // namespace core
