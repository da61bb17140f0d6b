// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/shape.h"

#include "core/base/error.h"

#include <algorithm>

namespace core {

std::int64_t Shape::operator[](int axis) const {
    const int count = static_cast<int>(sizes_.size());
    const int index = axis < 0 ? axis + count : axis;
    CORE_CHECK(index >= 0 && index < count,
               "axis " + std::to_string(axis) + " of " + toString(*this));
    return sizes_[static_cast<std::size_t>(index)];
}

std::int64_t Shape::elements() const noexcept {
    std::int64_t product = 1;
    for (const std::int64_t size : sizes_) product *= size;
    return product;
}

std::optional<std::int64_t> Shape::checkedElements() const noexcept {
    constexpr std::int64_t kMost = std::int64_t{1} << 62;
    if (std::any_of(sizes_.begin(), sizes_.end(), [](std::int64_t size) { return size < 0; }))
        return std::nullopt;
    if (std::find(sizes_.begin(), sizes_.end(), 0) != sizes_.end()) return 0;
    std::int64_t product = 1;
    for (const std::int64_t size : sizes_) {
        if (product > kMost / size) return std::nullopt;
        product *= size;
    }
    return product;
}

std::string toString(const Shape& shape) {
    std::string text = "[";
    for (const std::int64_t size : shape.sizes()) {
        if (text.size() > 1) text += ", ";
        text += std::to_string(size);
    }
    return text + "]";
}

}  // namespace core
