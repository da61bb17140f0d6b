// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/tensor.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using core::DType;
using core::ErrorKind;
using core::Tensor;

Tensor counting(core::Shape shape) {
    Tensor t = Tensor::host(std::move(shape));
    float next = 0.0F;
    for (float& value : t.span<float>()) value = next++;
    return t;
}

TEST(Tensor, DefaultIsUndefined) {
    const Tensor t;
    EXPECT_FALSE(t.defined());
    EXPECT_FALSE(t.onHost());
    EXPECT_EQ(t.describe(), "undefined");
    EXPECT_THROW(t.data<float>(), core::CheckFailure);
}

TEST(Tensor, HostMemoryIsAligned) {
    for (const std::int64_t n : {0, 1, 3, 1000}) {
        const Tensor t = Tensor::host({n});
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw()) % 64, 0U);
        EXPECT_EQ(t.bytes(), static_cast<std::size_t>(n) * 4);
    }
}

TEST(Tensor, ZerosAreZeroAndOfCopiesValues) {
    const Tensor zeros = Tensor::zeros({17});
    for (const float value : zeros.span<float>()) EXPECT_EQ(value, 0.0F);
    const std::vector<std::int64_t> values{1, -2, 3};
    const Tensor t = Tensor::of<std::int64_t>({3}, values);
    EXPECT_EQ(t.dtype(), DType::I64);
    EXPECT_EQ(t.span<std::int64_t>()[1], -2);
    EXPECT_THROW(Tensor::of<std::int64_t>({4}, values), core::CheckFailure);
}

TEST(Tensor, ACopyIsAHandle) {
    const Tensor a = counting({4});
    const Tensor b = a;
    b.data<float>()[2] = 9.0F;
    EXPECT_EQ(a.data<float>()[2], 9.0F);
}

TEST(Tensor, DataChecksTheType) {
    const Tensor t = Tensor::zeros({2}, DType::I32);
    EXPECT_NO_THROW(t.data<std::int32_t>());
    EXPECT_THROW(t.data<float>(), core::CheckFailure);
    EXPECT_EQ(t.describe(), "I32 [2]");
}

TEST(Tensor, ViewsShareElements) {
    const Tensor t = counting({2, 6});
    const Tensor view = t.view({3, 4});
    EXPECT_EQ(view.raw(), t.raw());
    EXPECT_EQ(view.size(1), 4);
    EXPECT_THROW(t.view({5}), core::CheckFailure);
}

TEST(Tensor, RowsAreASlice) {
    const Tensor t = counting({4, 3});
    const Tensor rows = t.rows(1, 3);
    EXPECT_EQ(rows.shape(), (core::Shape{2, 3}));
    EXPECT_EQ(rows.data<float>()[0], 3.0F);
    EXPECT_EQ(t.rows(4, 4).elements(), 0);
    EXPECT_EQ(t.rows(2, 4).rows(1, 2).data<float>()[0], 9.0F);
    EXPECT_THROW(t.rows(2, 5), core::CheckFailure);
    EXPECT_THROW(t.rows(3, 2), core::CheckFailure);
    EXPECT_THROW(t.rows(-1, 2), core::CheckFailure);
    EXPECT_THROW(Tensor::zeros({}).rows(0, 1), core::CheckFailure);
}

TEST(Tensor, MustFitItsBuffer) {
    const auto buffer = core::allocateHost(16);
    EXPECT_NO_THROW(Tensor(buffer, 0, {4}, DType::F32));
    EXPECT_NO_THROW(Tensor(buffer, 8, {2}, DType::F32));
    EXPECT_THROW(Tensor(buffer, 0, {5}, DType::F32), core::CheckFailure);
    EXPECT_THROW(Tensor(buffer, 12, {2}, DType::F32), core::CheckFailure);
}

TEST(Tensor, KeepsItsBufferAlive) {
    Tensor row;
    {
        const Tensor t = counting({100, 10});
        row = t.rows(99, 100);
    }
    EXPECT_EQ(row.data<float>()[9], 999.0F);
}

}  // namespace
