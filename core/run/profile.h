// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/profiling_backend.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace core {

/// What a device can do, as measured.
struct Ceilings {
    double flops = 0;  ///< per second, of a large product in the job's type
    double bytes = 0;  ///< per second, read and written by a copy of 128 MiB
};

/// Least seconds that the calls of an op can take: the slower of its products and of its bytes.
/// Tensors that stay in the cache can be faster.
double floorSeconds(const OpProfile& op, const Ceilings& ceilings);

/// Where the memory of a training step goes, in bytes.
struct MemoryUse {
    std::uint64_t parameters = 0, gradients = 0, optimizer = 0;
    std::uint64_t copies = 0;       ///< of weights, in bf16
    std::uint64_t activations = 0;  ///< most of the model's workspace that was in use at once
    std::uint64_t other = 0;        ///< the rest of what is allocated on the device: batches ...
    std::uint64_t allocated = 0;    ///< most that was allocated on the device at once: the
                                    ///< workspace grows in the first steps
    std::uint64_t planned = 0;      ///< what the trainer asks for before it starts
    std::uint64_t process = 0;      ///< most memory that the process had
};

struct StepProfile {
    std::string device;  ///< one line
    bool randomWeights = false;
    std::int64_t examples = 0, tokens = 0;  ///< of a step
    double seconds = 0;                     ///< median of the steps as they are in training
    double opByOpSeconds = 0;               ///< mean of those that were measured op by op
    std::int64_t steps = 0;                 ///< of each kind
    Ceilings ceilings;
    std::vector<OpProfile> ops;  ///< of `steps` steps, by decreasing time
    MemoryUse memory;
};

/// Trains a few steps of a job without writing anything: two to warm up, `steps` as they are and
/// `steps` op by op, then measures the device's ceilings. With a plan or from scratch the weights
/// are random: nothing is converted, and neither time nor memory depends on them. `progress` is
/// told the steps done and may throw. Throws what the trainer would before its first step, and
/// BadInput when a loss is not finite.
StepProfile profileJob(const JobSpec& job, std::int64_t steps,
                       const std::function<void(std::int64_t done)>& progress);

}  // namespace core
