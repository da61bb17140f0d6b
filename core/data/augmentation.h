// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"

#include <cstdint>

namespace core {

/// What happens to one example in one epoch.
struct AugmentationDraw {
    std::int64_t shiftX = 0;  ///< the crop begins here: -cropPadding ... cropPadding
    std::int64_t shiftY = 0;
    bool flip = false;
    bool operator==(const AugmentationDraw&) const = default;
};

/// Depends on (seed, epoch, example) alone; uniform shifts, flips in half of the cases.
AugmentationDraw drawAugmentation(const Augmentation& augmentation, std::uint64_t seed,
                                  std::uint64_t epoch, std::int64_t example) noexcept;

/// into[c, y, x] = (raw[c, y + shiftY, x'] / 255 - mean[c]) / std[c] with x' = x + shiftX, counted
/// from the right when flipped; 0 stands for raw values outside. `normalized` leaves values as they
/// are. raw and into are [C, H, W] and do not overlap.
void prepareImage(const float* raw, const ImageShape& shape, const Normalization& normalization,
                  bool normalized, const AugmentationDraw& draw, float* into);

}  // namespace core
