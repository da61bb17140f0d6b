// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core {

/// Where a checkpoint's config is, for messages: "DIR/config.json" or "FILE.h5: attribute config".
std::string configWhere(const Checkpoint& checkpoint);

/// A tensor's place in a block: ViT "vit.encoder.layer.3.output.dense.bias" -> encoder, 3,
/// "output.dense.bias".
struct BlockTensor {
    std::string stack;
    std::int64_t index = 0;
    std::string rest;
    std::string layersKey;  ///< the config's key that counts the blocks of this stack
};
std::optional<BlockTensor> blockTensor(Family family, std::string_view tensor);

/// 7 of "mlp.experts.expert_7.output.dense.bias"; empty when it is no expert's.
std::optional<std::int64_t> expertOf(std::string_view rest) noexcept;

}  // namespace core
