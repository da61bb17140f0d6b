// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/shape.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace core {

/// A new order of a tensor's axes: axis a of the result is axis order[a] of the source, so that
/// result[i, j, ...] = source[...]. The source may come in pieces of any size; the result is whole
/// in memory.
class AxisPermutation {
  public:
    /// `order` holds each axis of `source` once; elements are of 1, 2, 4 or 8 bytes.
    AxisPermutation(const Shape& source, std::span<const int> order, std::size_t elementBytes);

    /// Puts `piece`, the source's elements from `begin` on (row-major), to their places in
    /// `result`, which has the bytes of the whole tensor.
    void scatter(std::int64_t begin, std::span<const std::byte> piece,
                 std::span<std::byte> result) const;

  private:
    template <typename T>
    class Scatter;

    std::size_t width_;
    std::vector<std::int64_t> sizes_;    ///< of the source; axes that stay together are one
    std::vector<std::int64_t> strides_;  ///< of each in the result, in elements
    std::vector<std::int64_t> steps_;    ///< of each in the source
};

/// The order that undoes `order`.
std::vector<int> inverseOrder(std::span<const int> order);

/// `shape` with its axes in `order`.
Shape permuted(const Shape& shape, std::span<const int> order);

}  // namespace core
