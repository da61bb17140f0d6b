// SPDX-License-Identifier: Apache-2.0
#include "core/run/job_memory.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/run/device.h"
#include "core/run/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace core {
namespace {

constexpr std::string_view kCuda = "cuda";
/// What a CUDA backend takes beside tensors: the workspace of products, staging, scratch.
constexpr std::uint64_t kCudaReserve = std::uint64_t{96} << 20;

struct Change {
    bool recompute;
    bool bf16;
};
/// From the cheapest on: recomputing costs a third of the time, bf16 digits.
constexpr std::array<Change, 4> kChanges{
    {{false, false}, {true, false}, {false, true}, {true, true}}};

std::string words(const JobSpec& job, const JobSpec& changed) {
    std::string text;
    const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
    if (changed.trainer.microbatch != job.trainer.microbatch)
        add(fmt::format("--set microbatch={}", changed.trainer.microbatch));
    if (changed.trainer.recompute != job.trainer.recompute) add("--set recompute=true");
    if (changed.dtype != job.dtype) add("--dtype bf16");
    return text;
}

/// Examples of one forward.
std::int64_t examplesAtOnce(const JobSpec& job) {
    const TextLengths lengths = textLengths(job);
    if (job.text.batchTokens > 0)
        return std::max<std::int64_t>(
            1, job.text.batchTokens / std::max<std::int64_t>(1, lengths.inputs + lengths.targets));
    return job.trainer.microbatch > 0 ? job.trainer.microbatch : job.batch;
}

}  // namespace

DeviceMemory deviceMemory(const std::string& device) {
    if (device != "cpu")
        for (const DeviceInfo& info : listDevices()) {
            const bool asked = device == "auto" ? info.chosen
                                                : info.name == device ||
                                                      (device == kCuda && info.name == "cuda:0");
            if (asked && info.usable && info.name.starts_with(kCuda))
                return {info.name, info.freeBytes - std::min(info.freeBytes, kCudaReserve)};
        }
    return {"cpu", availableMemoryBytes()};
}

std::uint64_t jobMemoryBytes(const JobSpec& job, const ModelSpec& spec) {
    return trainingBytes(spec, examplesAtOnce(job), momentsPerWeight(job.trainer.optimizer.kind),
                         textLengths(job), {job.dtype, job.trainer.recompute});
}

void reserveActivations(Model& model, const JobSpec& job) {
    model.workspace().reserve(activationBytes(model.spec(), examplesAtOnce(job), textLengths(job),
                                              {job.dtype, job.trainer.recompute}));
}

std::string settingsThatFit(const JobSpec& job, const ModelSpec& spec, std::uint64_t bytes) {
    const std::int64_t whole = job.trainer.microbatch > 0 ? job.trainer.microbatch : job.batch;
    for (std::int64_t microbatch = whole; microbatch >= 1; microbatch /= 2)
        for (const Change& change : kChanges) {
            JobSpec changed = job;
            if (microbatch != whole) changed.trainer.microbatch = microbatch;
            changed.trainer.recompute = job.trainer.recompute || change.recompute;
            if (change.bf16) changed.dtype = DType::BF16;
            if (jobMemoryBytes(changed, spec) <= bytes) return words(job, changed);
        }
    return {};
}

void requireJobMemory(const JobSpec& job, const ModelSpec& spec, const DeviceMemory& memory) {
    const std::uint64_t bytes = jobMemoryBytes(job, spec);
    if (bytes <= memory.freeBytes) return;
    const std::string fits = settingsThatFit(job, spec, memory.freeBytes);
    throw Error(ErrorKind::OutOfMemory,
                fmt::format("training needs about {} of memory, {} are free on {}",
                            formatBytes(static_cast<double>(bytes)),
                            formatBytes(static_cast<double>(memory.freeBytes)), memory.name),
                fits.empty() ? "take fewer experts, a smaller model, or a larger machine"
                             : "it would fit with " + fits);
}

}  // namespace core
