// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/convert.h"

#include "core/base/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace {

using core::DType;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Every 16-bit pattern must come back as itself (NaN as a NaN of the same sign).
template <float (*Widen)(std::uint16_t) noexcept, std::uint16_t (*Narrow)(float) noexcept>
void expectRoundTrip() {
    for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
        const float value = Widen(static_cast<std::uint16_t>(bits));
        if (std::isnan(value)) {
            EXPECT_TRUE(std::isnan(Widen(Narrow(value)))) << bits;
        } else {
            ASSERT_EQ(Narrow(value), bits);
        }
    }
}

TEST(Bf16, EveryPatternRoundTrips) { expectRoundTrip<core::bf16ToFloat, core::floatToBf16>(); }

TEST(F16, EveryPatternRoundTrips) { expectRoundTrip<core::f16ToFloat, core::floatToF16>(); }

TEST(Bf16, RoundsToNearestEven) {
    EXPECT_EQ(core::bf16ToFloat(core::floatToBf16(1.0F + 0x1p-8F)), 1.0F);  // halfway, to even
    EXPECT_EQ(core::bf16ToFloat(core::floatToBf16(1.0F + 0x3p-8F)),
              1.0F + 0x1p-6F);  // halfway, to even
    EXPECT_EQ(core::bf16ToFloat(core::floatToBf16(1.0F + 0x1.01p-8F)), 1.0F + 0x1p-7F);
    EXPECT_EQ(core::bf16ToFloat(core::floatToBf16(std::numeric_limits<float>::max())), kInfinity);
    EXPECT_EQ(core::bf16ToFloat(core::floatToBf16(-0.0F)), 0.0F);
    EXPECT_TRUE(std::signbit(core::bf16ToFloat(core::floatToBf16(-0.0F))));
    EXPECT_TRUE(
        std::isnan(core::bf16ToFloat(core::floatToBf16(std::bit_cast<float>(0x7F800001U)))));
}

TEST(F16, RoundsToNearestEvenAndOverflows) {
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(1.0F + 0x1p-11F)), 1.0F);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(1.0F + 0x3p-11F)), 1.0F + 0x1p-9F);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(65504.0F)), 65504.0F);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(65519.0F)), 65504.0F);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(65520.0F)), kInfinity);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(-1e30F)), -kInfinity);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(0x1p-24F)), 0x1p-24F);  // smallest subnormal
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(0x1p-25F)), 0.0F);      // halfway, to even
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(0x1.8p-25F)), 0x1p-24F);
    EXPECT_EQ(core::f16ToFloat(core::floatToF16(0x1.FFFp-15F)),
              0x1p-14F);  // a subnormal rounds to a normal
}

TEST(F8, E4m3) {
    EXPECT_EQ(core::f8e4m3ToFloat(0x00), 0.0F);
    EXPECT_EQ(core::f8e4m3ToFloat(0x01), 0x1p-9F);
    EXPECT_EQ(core::f8e4m3ToFloat(0x38), 1.0F);
    EXPECT_EQ(core::f8e4m3ToFloat(0xB8), -1.0F);
    EXPECT_EQ(core::f8e4m3ToFloat(0x7E), 448.0F);
    EXPECT_TRUE(std::isnan(core::f8e4m3ToFloat(0x7F)));
    EXPECT_TRUE(std::isnan(core::f8e4m3ToFloat(0xFF)));
}

TEST(F8, E5m2) {
    EXPECT_EQ(core::f8e5m2ToFloat(0x3C), 1.0F);
    EXPECT_EQ(core::f8e5m2ToFloat(0x01), 0x1p-16F);
    EXPECT_EQ(core::f8e5m2ToFloat(0x7B), 57344.0F);
    EXPECT_EQ(core::f8e5m2ToFloat(0xFC), -kInfinity);
    EXPECT_TRUE(std::isnan(core::f8e5m2ToFloat(0x7E)));
}

template <typename T>
std::vector<float> widened(DType dtype, const std::vector<T>& values) {
    // One byte of offset: bytes of a file are not aligned.
    std::vector<std::byte> bytes(1);
    for (const std::byte byte : std::as_bytes(std::span(values))) bytes.push_back(byte);
    std::vector<float> floats(values.size());
    core::toFloats(floats, bytes.data() + 1, dtype);
    return floats;
}

TEST(ToFloats, EveryType) {
    const std::vector<float> expected{0.0F, 1.0F, 100.0F};
    EXPECT_EQ(widened<double>(DType::F64, {0, 1, 100}), expected);
    EXPECT_EQ(widened<float>(DType::F32, {0, 1, 100}), expected);
    EXPECT_EQ(widened<std::uint16_t>(DType::F16, {0, 0x3C00, 0x5640}), expected);
    EXPECT_EQ(widened<std::uint16_t>(DType::BF16, {0, 0x3F80, 0x42C8}), expected);
    EXPECT_EQ(widened<std::uint8_t>(DType::F8E4M3, {0, 0x38}), (std::vector<float>{0.0F, 1.0F}));
    EXPECT_EQ(widened<std::uint8_t>(DType::F8E5M2, {0, 0x3C}), (std::vector<float>{0.0F, 1.0F}));
    EXPECT_EQ(widened<std::int64_t>(DType::I64, {0, 1, 100}), expected);
    EXPECT_EQ(widened<std::int32_t>(DType::I32, {0, 1, 100}), expected);
    EXPECT_EQ(widened<std::int16_t>(DType::I16, {-1, 1}), (std::vector<float>{-1.0F, 1.0F}));
    EXPECT_EQ(widened<std::int8_t>(DType::I8, {-128, 1}), (std::vector<float>{-128.0F, 1.0F}));
    EXPECT_EQ(widened<std::uint64_t>(DType::U64, {0, 1, 100}), expected);
    EXPECT_EQ(widened<std::uint32_t>(DType::U32, {0, 1, 0xFFFFFFFFU}),
              (std::vector<float>{0.0F, 1.0F, 4294967296.0F}));
    EXPECT_EQ(widened<std::uint16_t>(DType::U16, {0, 65535}), (std::vector<float>{0.0F, 65535.0F}));
    EXPECT_EQ(widened<std::uint8_t>(DType::U8, {0, 1, 100}), expected);
    EXPECT_EQ(widened<std::uint8_t>(DType::Bool, {0, 1}), (std::vector<float>{0.0F, 1.0F}));
}

TEST(FromFloats, CountsWhatOverflows) {
    const std::array<float, 5> values{1.0F, 1e5F, -1e6F, kInfinity, std::nanf("")};
    std::array<std::byte, 40> bytes{};
    EXPECT_EQ(core::fromFloats(bytes.data(), DType::F16, values), 2U);
    EXPECT_EQ(core::fromFloats(bytes.data(), DType::BF16, values), 0U);
    EXPECT_EQ(core::fromFloats(bytes.data(), DType::F32, values), 0U);
    EXPECT_EQ(core::fromFloats(bytes.data(), DType::F64, values), 0U);
    std::array<float, 5> back{};
    core::toFloats(back, bytes.data(), DType::F64);
    EXPECT_EQ(back[1], 1e5F);
    EXPECT_THROW(core::fromFloats(bytes.data(), DType::I32, values), core::CheckFailure);
}

}  // namespace
