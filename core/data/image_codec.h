// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/resize.h"

#include <cstdint>
#include <vector>

namespace core {

/// Decoded 8-bit pixels, interleaved; grey files have 1 channel, all others 3.
struct DecodedImage {
    std::vector<std::uint8_t> pixels;
    std::int64_t width = 0;
    std::int64_t height = 0;
    int channels = 0;
    ImageView view() const { return {pixels.data(), width, height, channels}; }
};

/// Reads a JPEG or PNG, known by its first bytes. A JPEG may be decoded at a fraction of its size
/// that still has at least twice the pixels of `shape` along both sides. Transparency is laid on
/// black. BadInput names the file when it is neither, broken, or larger than 16384 pixels a side,
/// 100 megapixels or 256 MiB.
DecodedImage readImageFile(const Path& path, const ImageShape& shape);

}  // namespace core
