// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/convert.h"

#include "core/base/error.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace core {
namespace {

template <typename T>
T load(const std::byte* from, std::size_t index) {
    T value;
    std::memcpy(&value, from + index * sizeof(T), sizeof(T));
    return value;
}

template <typename T>
void store(std::byte* into, std::size_t index, T value) {
    std::memcpy(into + index * sizeof(T), &value, sizeof(T));
}

template <typename T>
void widen(std::span<float> into, const std::byte* from) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<float>(load<T>(from, i));
}

template <typename Bits, float (*Convert)(Bits) noexcept>
void widenBits(std::span<float> into, const std::byte* from) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = Convert(load<Bits>(from, i));
}

template <std::uint16_t (*Convert)(float) noexcept, std::uint16_t kInfinity>
std::uint64_t narrow(std::byte* into, std::span<const float> from) {
    std::uint64_t overflowed = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::uint16_t bits = Convert(from[i]);
        overflowed += (bits & 0x7FFFU) == kInfinity && std::isfinite(from[i]) ? 1 : 0;
        store(into, i, bits);
    }
    return overflowed;
}

}  // namespace

float bf16ToFloat(std::uint16_t bits) noexcept {
    return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

std::uint16_t floatToBf16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

float f16ToFloat(std::uint16_t bits) noexcept {
    constexpr float kRebias = 0x1.0p112F;  // 2^(127 - 15): a product brings subnormals right too
    const std::uint32_t sign = (bits & 0x8000U) << 16U;
    const std::uint32_t magnitude = bits & 0x7FFFU;
    const float scaled = std::bit_cast<float>(magnitude << 13U) * kRebias;
    const std::uint32_t finite = std::bit_cast<std::uint32_t>(scaled);
    const std::uint32_t special = 0x7F800000U | (magnitude << 13U);
    return std::bit_cast<float>(sign | (magnitude >= 0x7C00U ? special : finite));
}

std::uint16_t floatToF16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16U) & 0x8000U);
    if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7E00U);
    const float magnitude = std::abs(value);
    if (magnitude >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7C00U);
    if (magnitude < 0x1.0p-14F) {
        const auto units = static_cast<std::uint32_t>(
            std::nearbyint(std::ldexp(static_cast<double>(magnitude), 24)));
        return static_cast<std::uint16_t>(sign | units);
    }
    const std::uint32_t absolute = bits & 0x7FFFFFFFU;
    const std::uint32_t rounded = absolute + 0xFFFU + ((absolute >> 13U) & 1U);
    return static_cast<std::uint16_t>(sign | ((rounded - (112U << 23U)) >> 13U));
}

float f8e4m3ToFloat(std::uint8_t bits) noexcept {
    const float sign = (bits & 0x80U) != 0 ? -1.0F : 1.0F;
    const int exponent = (bits >> 3U) & 0xF;
    const int mantissa = bits & 7;
    if (exponent == 15 && mantissa == 7) return std::numeric_limits<float>::quiet_NaN();
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -9);
    return sign * std::ldexp(static_cast<float>(mantissa + 8), exponent - 10);
}

float f8e5m2ToFloat(std::uint8_t bits) noexcept {
    return f16ToFloat(static_cast<std::uint16_t>(bits << 8U));
}

void toFloats(std::span<float> into, const std::byte* from, DType dtype) {
    if (into.empty()) return;
    switch (dtype) {
        case DType::F32:
            std::memcpy(into.data(), from, into.size_bytes());
            return;
        case DType::F64:
            widen<double>(into, from);
            return;
        case DType::F16:
            widenBits<std::uint16_t, f16ToFloat>(into, from);
            return;
        case DType::BF16:
            widenBits<std::uint16_t, bf16ToFloat>(into, from);
            return;
        case DType::F8E4M3:
            widenBits<std::uint8_t, f8e4m3ToFloat>(into, from);
            return;
        case DType::F8E5M2:
            widenBits<std::uint8_t, f8e5m2ToFloat>(into, from);
            return;
        case DType::I64:
            widen<std::int64_t>(into, from);
            return;
        case DType::I32:
            widen<std::int32_t>(into, from);
            return;
        case DType::I16:
            widen<std::int16_t>(into, from);
            return;
        case DType::I8:
            widen<std::int8_t>(into, from);
            return;
        case DType::U64:
            widen<std::uint64_t>(into, from);
            return;
        case DType::U32:
            widen<std::uint32_t>(into, from);
            return;
        case DType::U16:
            widen<std::uint16_t>(into, from);
            return;
        case DType::U8:
        case DType::Bool:
            widen<std::uint8_t>(into, from);
            return;
    }
}

std::uint64_t fromFloats(std::byte* into, DType dtype, std::span<const float> from) {
    if (from.empty()) return 0;
    switch (dtype) {
        case DType::F32:
            std::memcpy(into, from.data(), from.size_bytes());
            return 0;
        case DType::F64:
            for (std::size_t i = 0; i < from.size(); ++i)
                store(into, i, static_cast<double>(from[i]));
            return 0;
        case DType::F16:
            return narrow<floatToF16, 0x7C00U>(into, from);
        case DType::BF16:
            return narrow<floatToBf16, 0x7F80U>(into, from);
        default:
            CORE_CHECK(false, "f32 to " + std::string(dtypeName(dtype)));
    }
    return 0;
}

}  // namespace core
