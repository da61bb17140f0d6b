// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/readers.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::openAndLook(data, size,
                      [](const core::Path& path) { return core::openSafetensors(path, {}); });
    return 0;
}
