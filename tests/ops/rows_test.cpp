// SPDX-License-Identifier: Apache-2.0
#include "core/ops/rows.h"

#include "tests/ops/parity.h"

namespace {

using core::Tensor;
using parity::Values;

class RowOps : public parity::OpsTest {};

TEST_P(RowOps, FirstRowsOfEachImage) {
    for (const std::int64_t tokens : {1, 2, 50}) {
        const Values x = parity::randomValues(3 * tokens * 7, 1);
        Values expected;
        for (std::int64_t b = 0; b < 3; ++b)
            for (std::int64_t d = 0; d < 7; ++d)
                expected.push_back(x[static_cast<std::size_t>(b * tokens * 7 + d)]);
        const Tensor y = output({3, 7});
        core::ops::firstRowsForward(backend(), y, tensor({3, tokens, 7}, x));
        EXPECT_EQ(read(y), expected);
    }
}

TEST_P(RowOps, BackwardIsZeroElsewhere) {
    for (const std::int64_t tokens : {1, 2, 50}) {
        const Values dy = parity::randomValues(300 * 7, 2);
        Values expected(static_cast<std::size_t>(300 * tokens * 7), 0.0);
        for (std::size_t i = 0; i < dy.size(); ++i)
            expected[i / 7 * static_cast<std::size_t>(tokens) * 7 + i % 7] = dy[i];
        const Tensor dx = output({300, tokens, 7});
        core::ops::firstRowsBackward(backend(), dx, tensor({300, 7}, dy));
        EXPECT_EQ(read(dx), expected);
    }
}

TEST_P(RowOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::firstRowsForward(backend(), output({3, 6}), output({3, 2, 7})),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::firstRowsForward(backend(), output({3, 7}), output({3, 0, 7})),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::firstRowsBackward(backend(), output({2, 2, 7}), output({3, 7})),
                 core::CheckFailure);
}

PARITY_SUITE(RowOps);

}  // namespace
