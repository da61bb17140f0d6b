// SPDX-License-Identifier: Apache-2.0
#include "core/ops/dropout.h"

#include "core/base/random.h"
#include "tests/ops/parity.h"

namespace {

using core::Tensor;
using parity::Values;

class DropoutOps : public parity::OpsTest {};

TEST_P(DropoutOps, KeepsByTheKeyedRandom) {
    for (const std::int64_t n : {1, 7, 64, 1003, 70000}) {
        const Values x = parity::randomValues(n, 1);
        const core::CounterRandom random(0x123456789ABCDEFULL);
        Values expected;
        for (std::int64_t i = 0; i < n; ++i)
            expected.push_back(random.uniform(static_cast<std::uint64_t>(i)) >= 0.3F
                                   ? x[static_cast<std::size_t>(i)] / 0.7
                                   : 0.0);
        const Tensor y = output({n});
        core::ops::dropout(backend(), y, tensor({n}, x), 0.3F, 0x123456789ABCDEFULL);
        expectClose(y, expected, "y");
        const Tensor inPlace = tensor({n}, x);
        core::ops::dropout(backend(), inPlace, inPlace, 0.3F, 0x123456789ABCDEFULL);
        EXPECT_EQ(bytesOf(inPlace), bytesOf(y));
    }
}

TEST_P(DropoutOps, TheShareThatIsDroppedIsTheRate) {
    const std::int64_t n = 100000;
    const Tensor y = output({n});
    core::ops::dropout(backend(), y, tensor({n}, Values(n, 1.0)), 0.1F, 7);
    double dropped = 0;
    double total = 0;
    for (const double value : read(y)) {
        dropped += value == 0.0 ? 1 : 0;
        total += value;
    }
    EXPECT_NEAR(dropped / n, 0.1, 0.005);  // five standard deviations
    EXPECT_NEAR(total / n, 1.0, 0.006 + rounding());
}

TEST_P(DropoutOps, RateZeroCopiesAndKeysDiffer) {
    const Values x = parity::randomValues(1000, 1);
    const Tensor y = output({1000});
    core::ops::dropout(backend(), y, tensor({1000}, x), 0.0F, 3);
    EXPECT_EQ(bytesOf(y), bytesOf(tensor({1000}, x)));
    const Tensor other = output({1000});
    core::ops::dropout(backend(), y, tensor({1000}, x), 0.5F, 3);
    core::ops::dropout(backend(), other, tensor({1000}, x), 0.5F, 4);
    EXPECT_NE(bytesOf(y), bytesOf(other));
}

TEST_P(DropoutOps, RejectsRatesThatLeaveNothing) {
    EXPECT_THROW(core::ops::dropout(backend(), output({3}), output({3}), 1.0F, 1),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::dropout(backend(), output({3}), output({3}), -0.1F, 1),
                 core::CheckFailure);
}

PARITY_SUITE(DropoutOps);

}  // namespace
