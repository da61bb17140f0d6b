// SPDX-License-Identifier: Apache-2.0
// The pickle machine alone.
#include "core/checkpoint/pickle.h"

#include "tests/fuzz/input.h"

#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const core::PickleSource source{"input", size,
                                    [&](std::uint64_t offset, std::span<std::byte> into) {
                                        if (into.size() > size - offset) std::abort();
                                        std::memcpy(into.data(), data + offset, into.size());
                                    }};
    fuzz::expectRefusalAtMost([&] {
        const core::Pickle pickle = core::readPickle(source);
        if (pickle.root() >= pickle.size() || pickle.bytes() > size) std::abort();
        for (core::PickleRef value = 0; value < pickle.size(); ++value) {
            if (pickle.text(value).size() > size) std::abort();
            for (const core::PickleRef item : pickle.items(value))
                if (item >= pickle.size()) std::abort();
        }
    });
    return 0;
}
