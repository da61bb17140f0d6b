// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/matrix_picture.h"

#include "core/base/error.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 19;  ///< elements

/// One row of pixels, filled by the rows of elements that it stands for.
class PixelRow {
  public:
    PixelRow(const PictureRequest& request, MatrixPicture& picture)
        : request_(request), picture_(picture), cells_(static_cast<std::size_t>(request.width)) {}

    /// Elements of one row from `column` (of the window) on.
    void add(std::int64_t column, std::span<const float> values) {
        const std::int64_t columns = request_.window.columns;
        const std::int64_t width = request_.width;
        auto x = static_cast<std::size_t>(column * width / columns);
        while ((static_cast<std::int64_t>(x) + 1) * columns / width <= column) ++x;
        std::int64_t at = column;
        const std::int64_t end = column + static_cast<std::int64_t>(values.size());
        for (; at < end; ++x) {
            const std::int64_t next =
                std::min(end, (static_cast<std::int64_t>(x) + 1) * columns / width);
            const auto first = static_cast<std::size_t>(at - column);
            addTo(cells_[x], values.subspan(first, static_cast<std::size_t>(next - at)));
            at = next;
        }
    }

    /// Writes row `y` of the picture and begins anew.
    void finish(int y) {
        const std::size_t start = static_cast<std::size_t>(y) * cells_.size();
        for (std::size_t x = 0; x < cells_.size(); ++x) {
            const Cell& cell = cells_[x];
            picture_.marks[start + x] = cell.mark;
            picture_.anyNonFinite = picture_.anyNonFinite || cell.mark != MatrixPicture::Ordinary;
            if (cell.count == 0) continue;
            picture_.values[start + x] =
                request_.reduction == Reduction::Mean
                    ? static_cast<float>(cell.sum / static_cast<double>(cell.count))
                    : cell.farthest;
            picture_.largest =
                std::max(picture_.largest, std::abs(static_cast<double>(cell.farthest)));
            squares_ += cell.squares;
            count_ += cell.count;
        }
        std::fill(cells_.begin(), cells_.end(), Cell());
    }

    double rms() const {
        return count_ == 0 ? 0 : std::sqrt(squares_ / static_cast<double>(count_));
    }

  private:
    struct Cell {
        double sum = 0, squares = 0;
        std::int64_t count = 0;
        float farthest = 0;
        std::uint8_t mark = MatrixPicture::Ordinary;
    };

    static void addTo(Cell& cell, std::span<const float> values) {
        for (const float value : values) {
            if (!std::isfinite(value)) {
                const std::uint8_t mark =
                    std::isnan(value) ? MatrixPicture::HasNan : MatrixPicture::HasInfinite;
                cell.mark = std::max(cell.mark, mark);
                continue;
            }
            const auto wide = static_cast<double>(value);
            cell.sum += wide;
            cell.squares += wide * wide;
            ++cell.count;
            if (std::abs(value) > std::abs(cell.farthest)) cell.farthest = value;
        }
    }

    const PictureRequest& request_;
    MatrixPicture& picture_;
    std::vector<Cell> cells_;
    double squares_ = 0;
    std::int64_t count_ = 0;
};

/// Reads runs of a tensor as f32.
class RunReader {
  public:
    RunReader(const Checkpoint& checkpoint, const TensorInfo& tensor)
        : checkpoint_(checkpoint), tensor_(tensor) {}
    std::span<const float> read(std::int64_t begin, std::int64_t count) {
        raw_.resize(static_cast<std::size_t>(count) * dtypeBytes(tensor_.dtype));
        values_.resize(static_cast<std::size_t>(count));
        checkpoint_.read(tensor_, begin, count, raw_);
        toFloats(values_, raw_.data(), tensor_.dtype);
        return values_;
    }

  private:
    const Checkpoint& checkpoint_;
    const TensorInfo& tensor_;
    std::vector<std::byte> raw_;
    std::vector<float> values_;
};

/// Hands rows [first, last) of the window to `row`, by whole rows at once where those are short.
void addRows(RunReader& reader, const PictureRequest& request, bool wholeRows, std::int64_t first,
             std::int64_t last, PixelRow& row) {
    const MatrixSlice& slice = request.slice;
    const MatrixWindow& window = request.window;
    if (wholeRows) {
        const std::int64_t atOnce = kPiece / slice.columns;
        for (std::int64_t r = first; r < last; r += atOnce) {
            const std::int64_t rows = std::min(atOnce, last - r);
            const std::span<const float> values =
                reader.read(slice.offset + (window.row + r) * slice.columns, rows * slice.columns);
            for (std::int64_t i = 0; i < rows; ++i)
                row.add(0,
                        values.subspan(static_cast<std::size_t>(i * slice.columns + window.column),
                                       static_cast<std::size_t>(window.columns)));
        }
        return;
    }
    for (std::int64_t r = first; r < last; ++r)
        for (std::int64_t c = 0; c < window.columns; c += kPiece)
            row.add(c,
                    reader.read(slice.offset + (window.row + r) * slice.columns + window.column + c,
                                std::min(kPiece, window.columns - c)));
}

}  // namespace

MatrixSlice sliceOf(const Shape& shape, std::span<const std::int64_t> leading) {
    const auto rank = static_cast<int>(shape.rank());
    CORE_CHECK(static_cast<int>(leading.size()) == std::max(0, rank - 2),
               "an index for each axis before the last two");
    MatrixSlice slice;
    if (rank > 0) slice.columns = shape[rank - 1];
    if (rank > 1) slice.rows = shape[rank - 2];
    std::int64_t index = 0;
    for (int axis = 0; axis + 2 < rank; ++axis) {
        const std::int64_t at = leading[static_cast<std::size_t>(axis)];
        CORE_CHECK(at >= 0 && at < shape[axis], "an index inside its axis");
        index = index * shape[axis] + at;
    }
    slice.offset = index * slice.rows * slice.columns;
    return slice;
}

std::optional<MatrixPicture> drawMatrix(const Checkpoint& checkpoint, const TensorInfo& tensor,
                                        const PictureRequest& request,
                                        const std::atomic<bool>& cancel) {
    const MatrixWindow& window = request.window;
    CORE_CHECK(window.row >= 0 && window.column >= 0 &&
                   window.row + window.rows <= request.slice.rows &&
                   window.column + window.columns <= request.slice.columns,
               "a window inside its slice");
    CORE_CHECK(request.width >= 1 && request.width <= window.columns && request.height >= 1 &&
                   request.height <= window.rows,
               "at most as many pixels as elements");
    MatrixPicture picture;
    picture.width = request.width;
    picture.height = request.height;
    const std::size_t pixels =
        static_cast<std::size_t>(request.width) * static_cast<std::size_t>(request.height);
    picture.values.assign(pixels, std::numeric_limits<float>::quiet_NaN());
    picture.marks.assign(pixels, MatrixPicture::Ordinary);
    // A seek costs as much as some hundred elements; in a compressed file, all that lies before.
    const bool wholeRows = request.slice.columns <= kPiece &&
                           (window.columns * 2 > request.slice.columns ||
                            request.slice.columns < 512 || checkpoint.format() != "safetensors");
    RunReader reader(checkpoint, tensor);
    PixelRow row(request, picture);
    for (int y = 0; y < request.height; ++y) {
        if (cancel) return std::nullopt;
        std::int64_t first = window.rows * y / request.height;
        std::int64_t last = window.rows * (y + 1) / request.height;
        if (request.sampled) {
            first = (first + last) / 2;
            last = first + 1;
        }
        addRows(reader, request, wholeRows, first, last, row);
        row.finish(y);
    }
    picture.rms = row.rms();
    return picture;
}

}  // namespace core
