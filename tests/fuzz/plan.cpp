// SPDX-License-Identifier: Apache-2.0
// The input is a plan.json, which is also compiled for a small ViT. What was read is written and
// read as the same.
#include "core/surgery/plan.h"

#include "core/surgery/report.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/small_vit.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const core::test::HeadersOnly small = fuzz::smallVit();
    static const core::ModelSpec spec = core::specFromConfig(small.configText(), "config.json");
    fuzz::expectRefusalAtMost([&] {
        const core::SurgeryPlan plan = core::planFromJson(fuzz::textOf(data, size), "plan.json");
        if (core::planFromJson(core::toJson(plan), "plan.json") != plan) std::abort();
        core::compilePlan(spec, small.tensors(), plan);
    });
    return 0;
}
