// SPDX-License-Identifier: Apache-2.0
#include "core/run/device.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/cpu/cpu_backend.h"
#include "core/run/cuda_plugin.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <thread>
#include <utility>

namespace core {
namespace {

constexpr const char* kFirstProven = "the first CUDA device that proved itself";

/// 0 for "cuda", N for "cuda:N".
std::optional<int> cudaIndex(std::string_view device) {
    if (device == "cuda") return 0;
    constexpr std::string_view kPrefix = "cuda:";
    if (!device.starts_with(kPrefix)) return std::nullopt;
    device.remove_prefix(kPrefix.size());
    int index = 0;
    const auto [end, error] = std::from_chars(device.data(), device.data() + device.size(), index);
    if (error != std::errc() || end != device.data() + device.size() || index < 0)
        return std::nullopt;
    return index;
}

/// The first device that proved itself.
std::optional<int> firstUsable(const CudaProbe& probe) {
    for (std::size_t i = 0; i < probe.devices.size(); ++i)
        if (probe.devices[i].reason.empty()) return static_cast<int>(i);
    return std::nullopt;
}

/// Empty when the device can be used.
std::string whyNotCuda(const CudaProbe& probe, int index) {
    const auto count = static_cast<int>(probe.devices.size());
    if (count == 0) return probe.problem;
    if (index >= count)
        return fmt::format("there {} only {} CUDA device{}", count == 1 ? "is" : "are", count,
                           count == 1 ? "" : "s");
    const CudaDevice& device = probe.devices[static_cast<std::size_t>(index)];
    return device.reason.empty() ? "" : device.name + ": " + device.reason;
}

std::string cpuDescription() {
    return fmt::format("{}, {} threads", cpuInstructionSet(), std::thread::hardware_concurrency());
}

}  // namespace

void validateDeviceName(const std::string& device) {
    if (device == "auto" || device == "cpu" || cudaIndex(device)) return;
    throw Error(ErrorKind::Usage, fmt::format("{} is not a device", printable(device)),
                "give auto, cpu, cuda or cuda:N; upcycle devices lists what there is");
}

std::vector<DeviceInfo> listDevices() {
    const CudaProbe probe = probeCuda();
    const std::optional<int> best = firstUsable(probe);
    std::vector<DeviceInfo> devices;
    devices.push_back({"cpu", cpuDescription(), true, !best,
                       best ? fmt::format("cuda:{} can be used and comes first", *best)
                            : "no CUDA device can be used: " + whyNotCuda(probe, 0)});
    if (probe.devices.empty()) devices.push_back({"cuda", "", false, false, probe.problem});
    for (std::size_t i = 0; i < probe.devices.size(); ++i) {
        const CudaDevice& device = probe.devices[i];
        const bool chosen = best && std::cmp_equal(*best, i);
        devices.push_back({fmt::format("cuda:{}", i),
                           fmt::format("{}, compute capability {}.{}, {} ({} free)", device.name,
                                       device.computeMajor, device.computeMinor,
                                       formatBytes(static_cast<double>(device.totalBytes)),
                                       formatBytes(static_cast<double>(device.freeBytes))),
                           device.reason.empty(), chosen,
                           chosen                  ? kFirstProven
                           : device.reason.empty() ? fmt::format("cuda:{} comes first", *best)
                                                   : device.reason,
                           device.freeBytes});
    }
    return devices;
}

DeviceChoice makeBackend(const std::string& device, int threads) {
    validateDeviceName(device);
    setThreads(threads);
    if (device == "cpu") return {makeCpuBackend(threads), "asked for"};
    const CudaProbe probe = probeCuda();
    if (const std::optional<int> index = cudaIndex(device)) {
        const std::string why = whyNotCuda(probe, *index);
        if (!why.empty())
            throw Error(ErrorKind::Device, fmt::format("{} cannot be used: {}", device, why),
                        "use --device cpu, or auto");
        return {makeCudaBackend(*index), "asked for"};
    }
    if (const std::optional<int> index = firstUsable(probe))
        return {makeCudaBackend(*index), kFirstProven};
    return {makeCpuBackend(threads), "no CUDA device can be used: " + whyNotCuda(probe, 0)};
}

std::string howComputed(DType dtype, const Backend& backend) {
    if (dtype != DType::BF16 || backend.name() != "cpu" || cpuComputesBf16()) return {};
    return "bf16 is stored, f32 computed: this processor has no unit for bf16";
}

void requireComputable(DType dtype) {
    if (dtype == DType::F32 || dtype == DType::BF16) return;
    throw Error(ErrorKind::Usage,
                fmt::format("{} is not computed, only f32 and bf16 are", dtypeOption(dtype)),
                "give --dtype f32 or bf16");
}

}  // namespace core
