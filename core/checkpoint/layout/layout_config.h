// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstdint>
#include <optional>
#include <string>

namespace core {

/// What a layout says of the model beyond names and axes.
struct LayoutFacts {
    std::optional<std::int64_t> heads;  ///< seen in the axes, or given by the person
    bool flaxVit = false;               ///< Flax's defaults: LayerNorm eps 1e-6, GELU by tanh
    bool headIsOwn = false;             ///< an output head in the file is not the tied embedding
};

/// Keys of a config.json that the facts and, for T5, the shapes of `hf`'s tensors give: a JSON
/// object's text, empty when there are none.
std::string makeLayoutConfig(const Checkpoint& hf, const LayoutFacts& facts);

/// `config` (a JSON object's text or empty) with "image_size" made `size`; BadInput naming `where`
/// when it is no JSON object.
std::string withImageSizeKey(const std::string& config, std::int64_t size,
                             const std::string& where);

}  // namespace core
