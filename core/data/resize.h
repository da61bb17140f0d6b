// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"

#include <cstdint>
#include <string>

namespace core {

/// Interleaved 8-bit pixels [height, width, channels], 1 (grey) or 3 (RGB) channels; not owned.
struct ImageView {
    const std::uint8_t* pixels;
    std::int64_t width;
    std::int64_t height;
    int channels;
};

/// The model's view of an image, [C, H, W] with values 0..255: the short side is resized to fit
/// (bilinear; when shrinking, antialiased by widening the triangle filter), the rest is cut off
/// evenly on both sides, values are rounded to whole numbers. Grey to RGB repeats, RGB to grey is
/// 0.299 R + 0.587 G + 0.114 B.
void fitImage(const ImageView& image, const ImageShape& shape, float* into);

/// BadInput when the model wants other than 1 or 3 channels; `source` names the data.
void requireImageChannels(const ImageShape& shape, const std::string& source);

}  // namespace core
