// SPDX-License-Identifier: Apache-2.0
// The input is the pickle of a good archive with four storages of 64 bytes.
#include "core/checkpoint/readers.h"
#include "tests/core/checkpoint/torch_files.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes = core::test::torchBytes(
        fuzz::textOf(data, size), std::vector<std::string>(4, std::string(64, '\1')));
    fuzz::openAndLook(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                      [](const core::Path& path) { return core::openTorch(path, {}); });
    return 0;
}
