// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/npz_gather.h"

#include "core/base/error.h"

#include <algorithm>
#include <cstring>

namespace core {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

/// Walks through the row-major places of elements that come with the first axis fastest.
class FortranWalk {
  public:
    explicit FortranWalk(const Shape& shape)
        : sizes_(shape.sizes().begin(), shape.sizes().end()),
          strides_(sizes_.size(), 1),
          index_(sizes_.size(), 0) {
        for (std::size_t i = sizes_.size(); i-- > 1;) strides_[i - 1] = strides_[i] * sizes_[i];
    }

    std::size_t place() const { return static_cast<std::size_t>(place_); }

    void advance() {
        for (std::size_t axis = 0; axis < sizes_.size(); ++axis) {
            place_ += strides_[axis];
            if (++index_[axis] < sizes_[axis]) return;
            place_ -= strides_[axis] * sizes_[axis];
            index_[axis] = 0;
        }
    }

  private:
    std::vector<std::int64_t> sizes_, strides_, index_;
    std::int64_t place_ = 0;
};

template <std::size_t kWidth>
void scatter(std::span<const std::byte> piece, FortranWalk& walk, std::byte* rowMajor) {
    for (std::size_t at = 0; at < piece.size(); at += kWidth, walk.advance())
        std::memcpy(rowMajor + walk.place() * kWidth, piece.data() + at, kWidth);
}

}  // namespace

std::vector<std::byte> gatherFortran(const Shape& shape, std::size_t width,
                                     const std::function<void(std::span<std::byte>)>& next) {
    CORE_CHECK(width == 1 || width == 2 || width == 4 || width == 8, "an element of 1 to 8 bytes");
    const std::size_t bytes = static_cast<std::size_t>(shape.elements()) * width;
    std::vector<std::byte> rowMajor(bytes), piece(std::min(bytes, kPiece));
    FortranWalk walk(shape);
    for (std::size_t done = 0; done < bytes; done += piece.size()) {
        piece.resize(std::min(piece.size(), bytes - done));
        next(piece);
        switch (width) {
            case 1:
                scatter<1>(piece, walk, rowMajor.data());
                break;
            case 2:
                scatter<2>(piece, walk, rowMajor.data());
                break;
            case 4:
                scatter<4>(piece, walk, rowMajor.data());
                break;
            default:
                scatter<8>(piece, walk, rowMajor.data());
        }
    }
    return rowMajor;
}

void swapElementBytes(std::span<std::byte> elements, std::size_t width) {
    for (std::size_t at = 0; at + width <= elements.size(); at += width)
        std::reverse(elements.begin() + static_cast<std::ptrdiff_t>(at),
                     elements.begin() + static_cast<std::ptrdiff_t>(at + width));
}

}  // namespace core
