// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/config_internal.h"
#include "core/model/spec.h"

namespace core {

/// Bounds of what a config or a file may ask for.
inline constexpr std::int64_t kMostLayers = 10000;
inline constexpr std::int64_t kMostSize = std::int64_t{1} << 20;

/// HF ViTConfig with its defaults. BadInput names the key.
VitSpec vitFromConfig(const config::Reader& reader);
/// The same, with what `vit` has for missing keys (heads 0 there: they stay unknown).
VitSpec vitFromConfig(const config::Reader& reader, VitSpec vit);

/// The reverse, with the keys that transformers writes.
config::Json vitToConfig(const VitSpec& vit);

/// BadInput when the numbers cannot make a network (heads that do not divide hidden, a patch larger
/// than the image).
void checkVit(const VitSpec& vit, const std::string& where);

/// Blocks "encoder.0" ... "encoder.N-1" (or "decoder"), dense, appended.
void appendBlocks(std::vector<BlockSpec>& blocks, const std::string& stack, std::int64_t count);

}  // namespace core
