// SPDX-License-Identifier: Apache-2.0
// The zip container of torch.save.
#include "core/checkpoint/readers.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0 && data[0] != 'P') return -1;
    fuzz::openAndLook(data, size, [](const core::Path& path) { return core::openTorch(path, {}); });
    return 0;
}
