// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/shape.h"

#include "core/base/error.h"
#include "core/tensor/dtype.h"

#include <gtest/gtest.h>

namespace {

using core::DType;
using core::Shape;

TEST(Shape, SizesAndAxes) {
    const Shape shape{2, 3, 5};
    EXPECT_EQ(shape.rank(), 3U);
    EXPECT_EQ(shape[0], 2);
    EXPECT_EQ(shape[-1], 5);
    EXPECT_EQ(shape[-3], 2);
    EXPECT_EQ(shape.elements(), 30);
    EXPECT_EQ(core::toString(shape), "[2, 3, 5]");
    EXPECT_THROW(shape[3], core::CheckFailure);
    EXPECT_THROW(shape[-4], core::CheckFailure);
}

TEST(Shape, AScalarHasOneElement) {
    EXPECT_EQ(Shape().elements(), 1);
    EXPECT_EQ(core::toString(Shape()), "[]");
    EXPECT_EQ(Shape{}, Shape());
}

TEST(Shape, CheckedElementsRefusesOverflowAndNegatives) {
    constexpr std::int64_t kHuge = std::int64_t{1} << 40;
    EXPECT_EQ((Shape{2, 3}).checkedElements(), 6);
    EXPECT_EQ((Shape{0, 5, kHuge}).checkedElements(), 0);
    EXPECT_EQ((Shape{kHuge, kHuge}).checkedElements(), std::nullopt);
    EXPECT_EQ((Shape{-1, 3}).checkedElements(), std::nullopt);
    EXPECT_EQ((Shape{0, -1}).checkedElements(), std::nullopt);
    EXPECT_EQ((Shape{std::int64_t{1} << 31, std::int64_t{1} << 31}).checkedElements(),
              std::int64_t{1} << 62);
    EXPECT_EQ((Shape{std::int64_t{1} << 31, (std::int64_t{1} << 31) + 1}).checkedElements(),
              std::nullopt);
}

TEST(DType, NamesRoundTrip) {
    for (int i = 0; i <= static_cast<int>(DType::Bool); ++i) {
        const auto dtype = static_cast<DType>(i);
        EXPECT_EQ(core::dtypeFromName(core::dtypeName(dtype)), dtype);
        EXPECT_EQ(core::dtypeFromOption(core::dtypeOption(dtype)), dtype);
    }
    EXPECT_EQ(core::dtypeFromName("F33"), std::nullopt);
    EXPECT_EQ(core::dtypeFromOption("F32"), std::nullopt);
}

TEST(DType, SizesAndKinds) {
    EXPECT_EQ(core::dtypeBytes(DType::F64), 8U);
    EXPECT_EQ(core::dtypeBytes(DType::F32), 4U);
    EXPECT_EQ(core::dtypeBytes(DType::BF16), 2U);
    EXPECT_EQ(core::dtypeBytes(DType::F8E5M2), 1U);
    EXPECT_EQ(core::dtypeBytes(DType::Bool), 1U);
    EXPECT_TRUE(core::isFloating(DType::F64));
    EXPECT_TRUE(core::isFloating(DType::F8E5M2));
    EXPECT_FALSE(core::isFloating(DType::I64));
    EXPECT_FALSE(core::isFloating(DType::Bool));
}

}  // namespace
