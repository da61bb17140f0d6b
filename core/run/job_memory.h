// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <string>

namespace core {

/// Where a job computes and what is free there.
struct DeviceMemory {
    std::string name;             ///< "cpu", "cuda:0"
    std::uint64_t freeBytes = 0;  ///< without what a backend takes for itself
};

/// Of a device name as in job.json; the CPU's where a CUDA device is not there or is not proved.
DeviceMemory deviceMemory(const std::string& device);

/// Bytes that training `spec` by `job` takes: what is checked before anything is allocated.
std::uint64_t jobMemoryBytes(const JobSpec& job, const ModelSpec& spec);

/// Takes the memory of the job's activations at once, so that its steps allocate nothing.
void reserveActivations(Model& model, const JobSpec& job);

/// Settings with which the job would take at most `bytes`, as the words of the command line: of
/// recomputing, bf16 and a smaller microbatch the fewest that do. Empty when none do.
std::string settingsThatFit(const JobSpec& job, const ModelSpec& spec, std::uint64_t bytes);

/// Throws OutOfMemory, naming both figures and the settings that would fit, when the job needs more
/// than is free.
void requireJobMemory(const JobSpec& job, const ModelSpec& spec, const DeviceMemory& memory);

}  // namespace core
