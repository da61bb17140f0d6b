// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/npz_gather.h"

#include "core/checkpoint/axis_permutation.h"

#include <algorithm>
#include <numeric>

namespace core {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

}  // namespace

std::vector<std::byte> gatherFortran(const Shape& shape, std::size_t width,
                                     const std::function<void(std::span<std::byte>)>& next) {
    const std::vector<std::int64_t> reversed(shape.sizes().rbegin(), shape.sizes().rend());
    std::vector<int> order(reversed.size());
    std::iota(order.rbegin(), order.rend(), 0);
    const AxisPermutation turn(Shape(reversed), order, width);  // what lies there, row-major
    const std::size_t bytes = static_cast<std::size_t>(shape.elements()) * width;
    std::vector<std::byte> rowMajor(bytes), piece(std::min(bytes, kPiece));
    for (std::size_t done = 0; done < bytes; done += piece.size()) {
        piece.resize(std::min(piece.size(), bytes - done));
        next(piece);
        turn.scatter(static_cast<std::int64_t>(done / width), piece, rowMajor);
    }
    return rowMajor;
}

void swapElementBytes(std::span<std::byte> elements, std::size_t width) {
    for (std::size_t at = 0; at + width <= elements.size(); at += width)
        std::reverse(elements.begin() + static_cast<std::ptrdiff_t>(at),
                     elements.begin() + static_cast<std::ptrdiff_t>(at + width));
}

}  // namespace core
