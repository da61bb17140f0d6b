// SPDX-License-Identifier: Apache-2.0
// The input is a config.json, alone and beside the tensors of a small ViT.
#include "core/model/model.h"
#include "tests/core/model/headers_only.h"
#include "tests/fuzz/input.h"

namespace {

constexpr const char* kSmallVit =
    R"({"model_type":"vit","architectures":["ViTForImageClassification"],"hidden_size":8,)"
    R"("intermediate_size":12,"num_hidden_layers":2,"num_attention_heads":2,"image_size":6,)"
    R"("patch_size":2,"num_channels":1,"hidden_act":"gelu","id2label":{"0":"a","1":"b"}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const core::test::HeadersOnly small = [] {
        core::test::HeadersOnly made(kSmallVit, {});
        for (const core::Parameter& parameter :
             core::describeParameters(core::specFromConfig(kSmallVit, "config.json")))
            made.add(parameter.name, parameter.shape);
        return made;
    }();
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
