// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace core {

/// A grid [from, from, width] of vectors as a grid [to, to, width], linear between the old points
/// with corner on corner: output i lies at input i (from - 1) / (to - 1) on each axis, 0 when
/// `to` is 1. This is scipy.ndimage.zoom(grid, order=1), which vit_jax and vmoe resize with.
std::vector<double> zoomGrid(std::span<const double> grid, std::int64_t from, std::int64_t to,
                             std::int64_t width);

/// A ViT for images of another size: its position embeddings [1, 1 + n², hidden] resized (the cls
/// token's is kept), "image_size" changed in config.json or in what the layout knows. BadInput when
/// there are no such embeddings or the size is not a multiple of the patches; Usage for a size that
/// is none.
std::shared_ptr<const Checkpoint> withImageSize(std::shared_ptr<const Checkpoint> vit,
                                                std::int64_t imageSize);

}  // namespace core
