// SPDX-License-Identifier: Apache-2.0
// The older container of torch.save. The input is what follows the magic number.
#include "core/checkpoint/readers.h"
#include "tests/fuzz/input.h"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::string_view_literals;
    const std::string bytes =
        std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."sv) +
        fuzz::textOf(data, size);
    fuzz::openAndLook(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                      [](const core::Path& path) { return core::openTorch(path, {}); });
    return 0;
}
