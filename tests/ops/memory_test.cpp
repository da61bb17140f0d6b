// SPDX-License-Identifier: Apache-2.0
#include "core/ops/memory.h"

#include "tests/ops/parity.h"

#include <bit>
#include <limits>

namespace {

using core::Tensor;

class MemoryOps : public parity::OpsTest {};

TEST_P(MemoryOps, FillWritesEveryElement) {
    const Tensor y = output({7, 13});
    core::ops::fill(backend(), y, -2.5F);
    EXPECT_EQ(read(y), parity::Values(91, -2.5));
}

TEST_P(MemoryOps, FillRoundsToTheType) {
    const Tensor y = output({35});
    core::ops::fill(backend(), y, 0.3F);
    EXPECT_EQ(read(y), stored(parity::Values(35, 0.3)));
}

TEST_P(MemoryOps, FillsIntegers) {
    const Tensor host = Tensor::zeros({5}, core::DType::I32);
    const Tensor y(backend().allocate(host.bytes()), 0, host.shape(), host.dtype());
    core::ops::fill(backend(), y, -3.0F);
    EXPECT_EQ(readInts(y), std::vector<std::int64_t>(5, -3));
}

TEST_P(MemoryOps, CopyIsExact) {
    const parity::Values values = parity::randomValues(100003, 1);
    const Tensor x = tensor({100003}, values);
    const Tensor y = output({100003});
    core::ops::copy(backend(), y, x);
    EXPECT_EQ(read(y), values);
}

/// An F32 tensor of these bits.
Tensor ofBits(const std::vector<std::uint32_t>& bits) {
    std::vector<float> floats;
    for (const std::uint32_t b : bits) floats.push_back(std::bit_cast<float>(b));
    return Tensor::of<float>({static_cast<std::int64_t>(bits.size())}, floats);
}

Tensor onDevice(core::Backend& backend, const core::Shape& shape, core::DType dtype) {
    return core::ops::toDevice(backend, Tensor::zeros(shape, dtype));
}

TEST_P(MemoryOps, CopyToBf16RoundsTiesToEven) {
    struct Case {
        std::uint32_t from;
        std::uint16_t into;
    };
    // Exact; ties down and up; next to a tie; carries; infinities, the largest finite number, which
    // becomes infinite; zeros; denormal numbers.
    const std::vector<Case> cases{
        {0x3F800000, 0x3F80}, {0x3F808000, 0x3F80}, {0x3F818000, 0x3F82}, {0x3F808001, 0x3F81},
        {0x3F817FFF, 0x3F81}, {0x3FFF8000, 0x4000}, {0xBF808000, 0xBF80}, {0xBF818000, 0xBF82},
        {0x7F800000, 0x7F80}, {0xFF800000, 0xFF80}, {0x7F7FFFFF, 0x7F80}, {0x7F7F7FFF, 0x7F7F},
        {0x00000000, 0x0000}, {0x80000000, 0x8000}, {0x00000001, 0x0000}, {0x00008000, 0x0000},
        {0x00018000, 0x0002}, {0x007FFFFF, 0x0080}, {0x80012345, 0x8001}};
    for (const std::size_t repeats : {std::size_t{1}, std::size_t{2000}}) {
        std::vector<std::uint32_t> bits;
        std::vector<std::uint16_t> expected;
        for (std::size_t r = 0; r < repeats; ++r)
            for (const Case& c : cases) {
                bits.push_back(c.from);
                expected.push_back(c.into);
            }
        const Tensor x = core::ops::toDevice(backend(), ofBits(bits));
        const Tensor y = onDevice(backend(), x.shape(), core::DType::BF16);
        core::ops::copy(backend(), y, x);
        const Tensor host = core::ops::readable(backend(), y);
        const auto found = host.span<core::BFloat16>();
        for (std::size_t i = 0; i < expected.size(); ++i)
            ASSERT_EQ(found[i].bits, expected[i]) << std::hex << bits[i];
    }
}

TEST_P(MemoryOps, CopyToBf16KeepsNaN) {
    const std::vector<std::uint32_t> bits{0x7FC00000, 0xFFC00000, 0x7F800001, 0x7FFFFFFF,
                                          0xFF80FFFF, 0x7F808000, 0x7FFF8000};
    const Tensor x = core::ops::toDevice(backend(), ofBits(bits));
    const Tensor y = onDevice(backend(), x.shape(), core::DType::BF16);
    core::ops::copy(backend(), y, x);
    for (const double value : read(y)) EXPECT_TRUE(std::isnan(value)) << value;
}

TEST_P(MemoryOps, CopyFromBf16IsExactForEveryNumber) {
    std::vector<core::BFloat16> all;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits)
        all.push_back({static_cast<std::uint16_t>(bits)});
    const Tensor x = core::ops::toDevice(backend(), Tensor::of<core::BFloat16>({0x10000}, all));
    const Tensor y = onDevice(backend(), x.shape(), core::DType::F32);
    core::ops::copy(backend(), y, x);
    const Tensor host = core::ops::readable(backend(), y);
    const auto found = host.span<float>();
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto expected = std::bit_cast<float>(bits << 16U);
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(found[bits])) << std::hex << bits;
        } else {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(found[bits]), bits << 16U);
        }
    }
    const Tensor back = onDevice(backend(), x.shape(), core::DType::BF16);
    core::ops::copy(backend(), back, y);
    const Tensor hostBack = core::ops::readable(backend(), back);
    const auto again = hostBack.span<core::BFloat16>();
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const bool same = std::isnan(found[bits]) || again[bits].bits == bits;
        ASSERT_TRUE(same) << std::hex << bits;
    }
}

TEST_P(MemoryOps, GoesToTheDeviceAndBack) {
    std::vector<std::int64_t> values{3, -100, std::int64_t{1} << 40, 0, 7, -1};
    const Tensor host = Tensor::of<std::int64_t>({2, 3}, values);
    const Tensor device = core::ops::toDevice(backend(), host);
    const Tensor back = core::ops::readable(backend(), device);
    EXPECT_EQ(back.shape(), host.shape());
    const auto found = back.span<std::int64_t>();
    EXPECT_EQ(std::vector<std::int64_t>(found.begin(), found.end()), values);
    host.data<std::int64_t>()[0] = 4;
    EXPECT_EQ(core::ops::readable(backend(), device).data<std::int64_t>()[0], 3) << "it is a copy";
    EXPECT_EQ(core::ops::readable(backend(), host).data<std::int64_t>(), host.data<std::int64_t>());
    EXPECT_FALSE(core::ops::toDevice(backend(), {}).defined());
    EXPECT_FALSE(core::ops::readable(backend(), {}).defined());
}

TEST_P(MemoryOps, EmptyTensorsAreFine) {
    core::ops::fill(backend(), output({0, 3}), 1.0F);
    core::ops::copy(backend(), output({0}), output({0}));
}

TEST_P(MemoryOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::copy(backend(), output({2, 3}), output({3, 2})), core::CheckFailure);
    EXPECT_THROW(core::ops::fill(backend(), labels({1, 2}), 0.0F), core::CheckFailure);
    expectRefusal(
        [&] {
            core::ops::copy(backend(), ofOtherType({2, 3}), output({3, 2}));
        },
        "expected the shape of");
    expectRefusal(
        [&] {
            core::ops::copy(backend(), output({2}), labels({1, 2}));
        },
        "[copy] x is I64 [2], expected F32 or BF16");
}

PARITY_SUITE(MemoryOps);

}  // namespace
