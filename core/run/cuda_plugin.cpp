// SPDX-License-Identifier: Apache-2.0
#include "core/run/cuda_plugin.h"

#include "core/base/error.h"
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

constexpr const char* kOtherVersion =
    "the CUDA plug-in belongs to another version of this program: install the one that came with "
    "it";

/// Whether the plug-in is of this build; only then is anything else of it called.
bool isOurs(const Library& library) {
    auto* const abi = symbol<decltype(upcycleCudaAbi)>(library, "upcycleCudaAbi");
    if (abi == nullptr || abi() != kUpcycleCudaAbi) return false;
    auto* const version = symbol<decltype(upcycleCudaVersion)>(library, "upcycleCudaVersion");
    return version != nullptr && std::string(version()) == UPCYCLER_VERSION;
}

}  // namespace

CudaProbe probeCuda() {
    CudaProbe probe;
    const Library library = openPlugin(probe.problem);
    if (!library) return probe;
    auto* const proveAll = symbol<decltype(upcycleCudaProbe)>(library, "upcycleCudaProbe");
    if (proveAll == nullptr || !isOurs(library)) {
        probe.problem = kOtherVersion;
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

std::shared_ptr<Backend> makeCudaBackend(int device) {
    std::string problem;
    Library library = openPlugin(problem);
    std::array<char, 512> error{};
    Backend* backend = nullptr;
    if (library && !isOurs(library)) {
        problem = kOtherVersion;
    } else if (library) {
        auto* const create = symbol<decltype(upcycleCudaCreate)>(library, "upcycleCudaCreate");
        backend = create == nullptr ? nullptr : create(device, error.data(), error.size());
        problem = create == nullptr ? kOtherVersion : printable(error.data(), error.size());
    }
    if (backend == nullptr)
        throw Error(ErrorKind::Device, fmt::format("cuda:{} cannot be used: {}", device, problem),
                    "use --device cpu, or auto");
    static_cast<void>(library.release());  // the CUDA runtime does not like to be unloaded
    return std::shared_ptr<Backend>(backend);
}

}  // namespace core
