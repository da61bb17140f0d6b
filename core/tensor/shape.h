// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace core {

/// Sizes of a row-major tensor, outermost first; a scalar has rank 0.
class Shape {
  public:
    Shape() = default;
    Shape(std::initializer_list<std::int64_t> sizes) : sizes_(sizes) {}
    explicit Shape(std::vector<std::int64_t> sizes) : sizes_(std::move(sizes)) {}

    std::size_t rank() const noexcept { return sizes_.size(); }
    /// Negative axes count from the end.
    std::int64_t operator[](int axis) const;
    std::span<const std::int64_t> sizes() const noexcept { return sizes_; }

    /// Product of the sizes (1 for a scalar). The sizes must be known not to overflow: see
    /// `checkedElements`.
    std::int64_t elements() const noexcept;
    /// Empty when a size is negative or the product exceeds 2^62.
    std::optional<std::int64_t> checkedElements() const noexcept;

    bool operator==(const Shape& other) const = default;

  private:
    std::vector<std::int64_t> sizes_;
};

/// "[8, 384, 96]".
std::string toString(const Shape& shape);

}  // namespace core
