// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/shape.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace core {

/// A tensor as steps through a storage: element (i0, i1, ...) is element offset + i0 stride0 +
/// i1 stride1 + ... of it. Axes of one element are left out and axes that follow one another in
/// memory are one axis here.
struct StridedView {
    std::int64_t offset = 0;
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> strides;

    /// Whether its elements follow one another in row-major order.
    bool isContiguous() const noexcept {
        return sizes.empty() || (sizes.size() == 1 && strides[0] == 1);
    }
};

/// The view of `shape`, whose sizes must be checked and as many as the strides. Empty unless every
/// element lies among the `elements` of the storage.
std::optional<StridedView> makeStridedView(const Shape& shape,
                                           std::span<const std::int64_t> strides,
                                           std::int64_t offset, std::int64_t elements);

/// Reads bytes of a storage.
using ReadBytes = std::function<void(std::uint64_t begin, std::span<std::byte> into)>;

/// Elements [begin, begin + count) of the view in row-major order, `width` bytes each. `read` is
/// asked for bytes in rising order for each of the few boxes that such a range consists of.
void readStrided(const StridedView& view, std::size_t width, std::int64_t begin, std::int64_t count,
                 std::span<std::byte> into, const ReadBytes& read);

}  // namespace core
