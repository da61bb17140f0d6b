// SPDX-License-Identifier: Apache-2.0
#include "core/ops/memory.h"

#include "tests/ops/parity.h"

namespace {

using core::Tensor;

class MemoryOps : public parity::OpsTest {};

TEST_P(MemoryOps, FillWritesEveryElement) {
    const Tensor y = output({7, 13});
    core::ops::fill(backend(), y, -2.5F);
    EXPECT_EQ(read(y), parity::Values(91, -2.5));
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
}

PARITY_SUITE(MemoryOps);

}  // namespace
