// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/npy_header.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const core::Path path("input");
    const core::NpyPlace place{path, "member"};
    const std::string text = fuzz::textOf(data, size);
    fuzz::expectRefusalAtMost([&] {
        const std::size_t bytes = core::npyHeaderBytes(text, place);
        if (bytes <= text.size())
            core::readNpyHeader(std::string_view(text).substr(0, bytes), place);
    });
    return 0;
}
