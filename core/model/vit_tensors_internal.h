// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace core {

/// One axis of a tensor and the config's words for its size ("hidden_size = 96").
struct ExpectedAxis {
    std::int64_t size = 0;
    std::string key;
};

struct ExpectedTensor {
    std::string name;  ///< for experts with "{e}" in place of the number
    std::vector<ExpectedAxis> axes;
    std::int64_t experts = 0;  ///< > 0: there is one such tensor per expert
    bool decay = false;        ///< weight decay applies
    bool mlp = false;          ///< of a block's MLP: experts, router, or the dense pair
    Shape shape() const;       ///< of one tensor in the file
};

/// Name of expert `e`'s tensor from a name with "{e}".
std::string expertName(const std::string& name, std::int64_t e);

/// All tensors of a ViT of this spec, in transformers' order: the one place that knows the names.
std::vector<ExpectedTensor> vitTensors(const ModelSpec& spec, const VitNames& names);

}  // namespace core
