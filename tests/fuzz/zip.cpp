// SPDX-License-Identifier: Apache-2.0
// Directory and members of a zip archive.
#include "core/checkpoint/zip_archive.h"
#include "tests/fuzz/input.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::InputFile input({data, size});
    fuzz::expectRefusalAtMost([&] {
        const core::File file = core::File::openForReading(input.path());
        for (const core::ZipMember& member : core::readZipDirectory(file)) {
            std::vector<std::byte> bytes(std::min<std::uint64_t>(member.bytes, 1U << 18U));
            core::ZipStream stream(file, member);
            stream.read(std::span(bytes).first(bytes.size() / 2));
            stream.skip(bytes.size() / 4);
            stream.read(std::span(bytes).first(bytes.size() - bytes.size() / 2 - bytes.size() / 4));
        }
    });
    return 0;
}
