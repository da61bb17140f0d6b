// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/shape.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace core {

/// All elements of an array whose first axis is the fastest (Fortran order), row-major. `next`
/// fills its span with the bytes that follow in the file; they are asked for from the first to the
/// last. Needs memory for one copy.
std::vector<std::byte> gatherFortran(const Shape& shape, std::size_t width,
                                     const std::function<void(std::span<std::byte>)>& next);

/// Turns the bytes of every element of `width` bytes around.
void swapElementBytes(std::span<std::byte> elements, std::size_t width);

}  // namespace core
