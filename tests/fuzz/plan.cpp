// SPDX-License-Identifier: Apache-2.0
// The input is a plan.json, which is also compiled for a small ViT. What was read is written and
// read as the same.
#include "core/surgery/plan.h"

#include "core/model/model.h"
#include "core/surgery/report.h"
#include "tests/core/model/headers_only.h"
#include "tests/fuzz/input.h"

#include <cstdlib>

namespace {

constexpr const char* kSmallVit =
    R"({"model_type":"vit","architectures":["ViTForImageClassification"],"hidden_size":8,)"
    R"("intermediate_size":12,"num_hidden_layers":2,"num_attention_heads":2,"image_size":6,)"
    R"("patch_size":2,"num_channels":1,"hidden_act":"gelu","id2label":{"0":"a","1":"b"}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const core::ModelSpec spec = core::specFromConfig(kSmallVit, "config.json");
    static const core::test::HeadersOnly small = [] {
        core::test::HeadersOnly made(kSmallVit, {});
        for (const core::Parameter& parameter : core::describeParameters(spec))
            made.add(parameter.name, parameter.shape);
        return made;
    }();
    fuzz::expectRefusalAtMost([&] {
        const core::SurgeryPlan plan = core::planFromJson(fuzz::textOf(data, size), "plan.json");
        if (core::planFromJson(core::toJson(plan), "plan.json") != plan) std::abort();
        core::compilePlan(spec, small.tensors(), plan);
    });
    return 0;
}
