// SPDX-License-Identifier: Apache-2.0
// Plug-ins that cannot be used, one a value of UPCYCLER_ODD_PLUGIN: "abi", "version" (of another
// program), "driver" (does not answer), "none" (no device), "old" (a device without machine code),
// "refuses" (a proved device of which no backend can be made).
#include "gpu/plugin.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

bool is(const char* kind) {
    const char* text = std::getenv("UPCYCLER_ODD_PLUGIN");
    return text != nullptr && std::string(text) == kind;
}

void say(char* into, int32_t bytes, const char* text) {
    std::snprintf(into, static_cast<std::size_t>(bytes), "%s", text);
}

}  // namespace

int32_t upcycleCudaAbi(void) { return is("abi") ? kUpcycleCudaAbi + 1 : kUpcycleCudaAbi; }

const char* upcycleCudaVersion(void) { return is("version") ? "0.0.1" : UPCYCLER_VERSION; }

int32_t upcycleCudaProbe(UpcycleCudaDevice* devices, int32_t capacity, char* error,
                         int32_t errorBytes) {
    if (is("driver")) {
        say(error, errorBytes, "CUDA driver version is insufficient for CUDA runtime version");
        return -1;
    }
    if (is("none") || capacity < 1) return 0;
    UpcycleCudaDevice device{};
    say(static_cast<char*>(device.name), sizeof device.name, "Test Device");
    device.computeMajor = 6;
    device.totalBytes = device.freeBytes = std::uint64_t{8} << 30;
    device.usable = is("refuses") ? 1 : 0;
    if (is("old"))
        say(static_cast<char*>(device.reason), sizeof device.reason,
            "starting the kernel fillRamp failed: no kernel image is available for execution on "
            "the device");
    devices[0] = device;
    return 1;
}

core::Backend* upcycleCudaCreate(int32_t /*device*/, char* error, int32_t errorBytes) {
    say(error, errorBytes, "the memory of the device is taken: 3 MiB of 8 GiB are free");
    return nullptr;
}
