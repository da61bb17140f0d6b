// SPDX-License-Identifier: Apache-2.0
// The input is a config.json, alone and beside the tensors of a small ViT.
#include "core/model/model.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/small_vit.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const core::test::HeadersOnly small = fuzz::smallVit();
    const std::string text = fuzz::textOf(data, size);
    fuzz::expectRefusalAtMost([&] {
        const core::ModelSpec spec = core::specFromConfig(text, "config.json");
        core::configWithUpcycling(text, spec);
    });
    core::test::HeadersOnly checkpoint = small;
    checkpoint.setConfig(text);
    fuzz::expectRefusalAtMost([&] { core::readSpec(checkpoint); });
    fuzz::expectRefusalAtMost([&] { core::readSpecUnchecked(checkpoint); });
    return 0;
}
