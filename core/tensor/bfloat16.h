// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace core {

/// An element of a BF16 tensor: the upper half of a float. Arithmetic is done in float; convert.h
/// has the conversions.
struct BFloat16 {
    std::uint16_t bits;
};

}  // namespace core
