// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/model/model.h"

#include <cstdint>
#include <string>

namespace upcycle {

/// The batch in IN.safetensors: of a ViT `pixel_values` f32 [B, C, H, W], `labels` i64 [B]
/// (optional); of a T5 as in input_text.h.
/// BadInput when names, types, shapes or labels do not fit the model.
core::Batch readInputBatch(const core::Path& file, const core::ModelSpec& spec,
                           core::Backend& backend);

/// The first `count` images of a data source's evaluation part, normalised.
core::Batch readDataBatch(const std::string& source, const core::Path& model, std::int64_t count,
                          const core::ModelSpec& spec, core::Backend& backend);

/// `count` images of N(0, 1) or sequences of random tokens, the same every time.
core::Batch makeRandomBatch(std::int64_t count, const core::ModelSpec& spec,
                            core::Backend& backend);

/// Throws BadInput unless the model is of a family that this version computes.
void requireComputableFamily(const core::ModelSpec& spec, const std::string& model);

/// Throws BadInput unless the model takes images.
void requireImages(const core::ModelSpec& spec, const std::string& model);

}  // namespace upcycle
