// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace core {

/// A matrix inside a tensor: its last two axes at fixed indices of the others. A vector is one row,
/// a scalar one element.
struct MatrixSlice {
    std::int64_t offset = 0;  ///< elements before it
    std::int64_t rows = 1;
    std::int64_t columns = 1;
    bool operator==(const MatrixSlice&) const = default;
};

/// `leading`: one index for each axis before the last two, inside its axis.
MatrixSlice sliceOf(const Shape& shape, std::span<const std::int64_t> leading);

/// A part of a slice.
struct MatrixWindow {
    std::int64_t row = 0, column = 0;
    std::int64_t rows = 0, columns = 0;
    bool operator==(const MatrixWindow&) const = default;
};

/// What stands for the elements under one pixel: their mean, or the one that is farthest from zero.
enum class Reduction { Mean, LargestMagnitude };

/// A window drawn in width x height pixels, row-major. Pixel (x, y) stands for the columns from
/// floor(columns x / width) on, up to those of x + 1, and the rows likewise.
struct MatrixPicture {
    enum Mark : std::uint8_t { Ordinary, HasNan, HasInfinite };
    int width = 0, height = 0;
    std::vector<float> values;        ///< over finite elements; NaN where there is none
    std::vector<std::uint8_t> marks;  ///< a Mark each; infinite wins over NaN
    double largest = 0;               ///< |x| over the finite elements that were read
    double rms = 0;                   ///< root of the mean square of these
    bool anyNonFinite = false;
};

struct PictureRequest {
    MatrixSlice slice;
    MatrixWindow window;
    int width = 0, height = 0;  ///< at least 1, at most the window's columns and rows
    Reduction reduction = Reduction::Mean;
    bool sampled = false;  ///< one row for each row of pixels alone: a first look
};

/// Reads the rows of the window (and, of files where that is cheap, their columns alone) in bounded
/// pieces; memory is the picture and a piece. Empty when `cancel` became true.
std::optional<MatrixPicture> drawMatrix(const Checkpoint& checkpoint, const TensorInfo& tensor,
                                        const PictureRequest& request,
                                        const std::atomic<bool>& cancel);

}  // namespace core
