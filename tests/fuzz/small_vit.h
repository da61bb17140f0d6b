// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"
#include "tests/core/model/headers_only.h"

namespace fuzz {

/// The config and the tensors' headers of a small ViT.
inline core::test::HeadersOnly smallVit() {
    constexpr const char* kConfig =
        R"({"model_type":"vit","architectures":["ViTForImageClassification"],"hidden_size":8,)"
        R"("intermediate_size":12,"num_hidden_layers":2,"num_attention_heads":2,"image_size":6,)"
        R"("patch_size":2,"num_channels":1,"hidden_act":"gelu","id2label":{"0":"a","1":"b"}})";
    core::test::HeadersOnly made(kConfig, {});
    for (const core::Parameter& parameter :
         core::describeParameters(core::specFromConfig(kConfig, "config.json")))
        made.add(parameter.name, parameter.shape);
    return made;
}

}  // namespace fuzz
