// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/layout/tensor_map.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// A checkpoint's layout and what it makes of the tensors.
struct Recognised {
    std::string layout;              ///< its word (layout.h)
    std::vector<TensorMap> tensors;  ///< empty for "hf", where all stay as they are
    std::optional<std::int64_t> heads;
    std::vector<std::string> notes;
};

/// From a few names that a layout always has; then every tensor by the layout's table. Tensors that
/// the table does not know keep their names; those outside the parameters' tree (optimizer state)
/// are left aside. Both are noted. BadInput when a tensor has not the axes that its name says.
Recognised recogniseLayout(const Checkpoint& raw);

}  // namespace core
