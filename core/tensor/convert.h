// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/dtype.h"

#include <cstdint>
#include <span>

namespace core {

float bf16ToFloat(std::uint16_t bits) noexcept;
/// Round to nearest even; NaN stays NaN (quiet).
std::uint16_t floatToBf16(float value) noexcept;
float f16ToFloat(std::uint16_t bits) noexcept;
/// Round to nearest even; beyond the range becomes infinity.
std::uint16_t floatToF16(float value) noexcept;
float f8e4m3ToFloat(std::uint8_t bits) noexcept;
float f8e5m2ToFloat(std::uint8_t bits) noexcept;

/// Any element type to f32 (integers and bool by value; f64 rounded). `from` holds `into.size()`
/// elements.
void toFloats(std::span<float> into, const std::byte* from, DType dtype);

/// f32 to a floating type of a file (F64, F32, F16, BF16). Returns how many finite values became
/// infinite.
std::uint64_t fromFloats(std::byte* into, DType dtype, std::span<const float> from);

}  // namespace core
