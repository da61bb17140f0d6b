// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/expected_tensors_internal.h"

#include <vector>

namespace core {

/// All tensors of a ViT of this spec, in transformers' order: the one place that knows the names.
std::vector<ExpectedTensor> vitTensors(const ModelSpec& spec, const VitNames& names);

}  // namespace core
