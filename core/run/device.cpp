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

namespace core {
namespace {

constexpr const char* kComputesLater =
    "this version computes on the CPU only; computing on CUDA comes with a later one";

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

std::string whyNotCuda(const CudaProbe& probe, int index) {
    const auto count = static_cast<int>(probe.devices.size());
    if (count == 0) return probe.problem;
    if (index >= count) return fmt::format("there are only {} CUDA devices", count);
    const CudaDevice& device = probe.devices[static_cast<std::size_t>(index)];
    return device.name + ": " + (device.reason.empty() ? kComputesLater : device.reason);
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
    std::vector<DeviceInfo> devices;
    devices.push_back({"cpu", cpuDescription(), true, true,
                       "no CUDA device can be used: " + whyNotCuda(probe, 0)});
    if (probe.devices.empty()) devices.push_back({"cuda", "", false, false, probe.problem});
    for (std::size_t i = 0; i < probe.devices.size(); ++i) {
        const CudaDevice& device = probe.devices[i];
        devices.push_back({fmt::format("cuda:{}", i),
                           fmt::format("{}, compute capability {}.{}, {} ({} free)", device.name,
                                       device.computeMajor, device.computeMinor,
                                       formatBytes(static_cast<double>(device.totalBytes)),
                                       formatBytes(static_cast<double>(device.freeBytes))),
                           false, false, device.reason.empty() ? kComputesLater : device.reason});
    }
    return devices;
}

DeviceChoice makeBackend(const std::string& device, int threads) {
    validateDeviceName(device);
    setThreads(threads);
    if (device == "cpu") return {makeCpuBackend(threads), "asked for"};
    const CudaProbe probe = probeCuda();
    if (const std::optional<int> index = cudaIndex(device))
        throw Error(ErrorKind::Device,
                    fmt::format("{} cannot be used: {}", device, whyNotCuda(probe, *index)),
                    "use --device cpu, or auto");
    return {makeCpuBackend(threads), "no CUDA device can be used: " + whyNotCuda(probe, 0)};
}

void requireComputable(DType dtype, const std::string& device) {
    if (dtype == DType::F32) return;
    throw Error(ErrorKind::Device,
                fmt::format("{} is not computed on {} in this version, only f32 is",
                            dtypeOption(dtype), device == "auto" ? "the cpu" : device),
                "leave --dtype out, or give f32");
}

}  // namespace core
