// SPDX-License-Identifier: Apache-2.0
#include "core/run/cuda_plugin.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "gpu/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace core {
namespace {

constexpr const char* kFileName = "libupcycle_cuda.so";
constexpr int kMostDevices = 64;

struct CloseLibrary {
    void operator()(void* handle) const { ::dlclose(handle); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

std::vector<Path> candidates() {
    if (const char* named = std::getenv("UPCYCLER_CUDA_PLUGIN"); named != nullptr) return {named};
    std::error_code code;
    const Path folder = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
    return {folder / kFileName, folder / ".." / "lib" / kFileName,
            folder / ".." / "lib" / "upcycler" / kFileName};
}

Library openPlugin(std::string& problem) {
    std::error_code code;
    for (const Path& path : candidates()) {
        if (!std::filesystem::exists(path, code)) continue;
        Library library(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
        if (!library)
            problem =
                printable(fmt::format("the CUDA plug-in cannot be opened: {}", ::dlerror()), 300);
        return library;
    }
    problem = fmt::format("the CUDA plug-in {} is not installed", kFileName);
    return nullptr;
}

template <typename Function>
Function* symbol(const Library& library, const char* name) {
    return reinterpret_cast<Function*>(::dlsym(library.get(), name));
}

template <std::size_t N>
std::string text(const char (&field)[N]) {
    return printable(std::string(field, ::strnlen(field, N)), N);
}

}  // namespace

CudaProbe probeCuda() {
    CudaProbe probe;
    const Library library = openPlugin(probe.problem);
    if (!library) return probe;
    auto* const abi = symbol<decltype(upcycleCudaAbi)>(library, "upcycleCudaAbi");
    auto* const proveAll = symbol<decltype(upcycleCudaProbe)>(library, "upcycleCudaProbe");
    if (abi == nullptr || proveAll == nullptr || abi() != kUpcycleCudaAbi) {
        probe.problem = "the CUDA plug-in belongs to another version of this program";
        return probe;
    }
    std::vector<UpcycleCudaDevice> found(kMostDevices);
    std::array<char, 512> error{};
    const std::int32_t count = proveAll(found.data(), kMostDevices, error.data(), error.size());
    if (count < 0) probe.problem = printable(error.data(), error.size());
    if (count == 0) probe.problem = "the driver shows no CUDA device";
    for (int i = 0; i < std::min(count, kMostDevices); ++i) {
        const UpcycleCudaDevice& device = found[static_cast<std::size_t>(i)];
        probe.devices.push_back({text(device.name), device.usable != 0 ? "" : text(device.reason),
                                 device.computeMajor, device.computeMinor, device.totalBytes,
                                 device.freeBytes});
    }
    return probe;
}

}  // namespace core
