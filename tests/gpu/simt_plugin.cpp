// SPDX-License-Identifier: Apache-2.0
// The harness as a plug-in that `upcycle` can open, so that tests drive the real program on a
// "CUDA device"; the environment says what shall go wrong:
//   UPCYCLER_SIMT_MEMORY=BYTES      what the device has
//   UPCYCLER_SIMT_LOST_AFTER=N      the device is lost after N kernels
#include "tests/gpu/simt/runtime.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <optional>

namespace {

std::optional<unsigned long long> number(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    return std::strtoull(text, nullptr, 10);
}

const bool kPrepared = [] {
    if (const auto bytes = number("UPCYCLER_SIMT_MEMORY")) simt::setDeviceMemory(*bytes);
    if (const auto kernels = number("UPCYCLER_SIMT_LOST_AFTER"))
        simt::loseDeviceAfter(*kernels, cudaErrorIllegalAddress);
    return true;
}();

}  // namespace
