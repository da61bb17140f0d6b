// SPDX-License-Identifier: Apache-2.0
#include "core/ops/softmax.h"

#include "tests/ops/parity.h"

#include <algorithm>
#include <limits>

namespace {

using core::Tensor;
using parity::Values;

Values softmax(const Values& x, std::int64_t columns) {
    Values y = x;
    for (auto row = y.begin(); row != y.end(); row += columns) {
        const double most = *std::max_element(row, row + columns);
        double total = 0.0;
        for (auto it = row; it != row + columns; ++it) total += * it = std::exp(*it - most);
        for (auto it = row; it != row + columns; ++it) *it /= total;
    }
    return y;
}

class SoftmaxOps : public parity::OpsTest {};

TEST_P(SoftmaxOps, ForwardOfManySizes) {
    for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{
             {1, 1}, {3, 7}, {500, 8}, {17, 32}, {2, 1000}, {999, 3}}) {
        const Values x = parity::randomValues(rows * columns, 1, 4.0);
        const Tensor y = f32Output({rows, columns});
        core::ops::softmaxForward(backend(), y, f32({rows, columns}, x));
        expectClose(y, softmax(x, columns), "y");
    }
}

TEST_P(SoftmaxOps, LargeLogitsAreShifted) {
    const Tensor y = f32Output({2, 3});
    core::ops::softmaxForward(backend(), y, f32({2, 3}, {1e4, 1e4, -1e4, -1e30, 0.0, 1e30}));
    expectClose(y, {0.5, 0.5, 0.0, 0.0, 0.0, 1.0}, "y");
}

TEST_P(SoftmaxOps, MinusInfinityIsZero) {
    const double infinity = std::numeric_limits<double>::infinity();
    const Tensor y = f32Output({1, 3});
    core::ops::softmaxForward(backend(), y, f32({1, 3}, {-infinity, 0.0, 0.0}));
    EXPECT_EQ(read(y), (Values{0.0, 0.5, 0.5}));
}

TEST_P(SoftmaxOps, GradientByDifferences) {
    for (const std::int64_t columns : {1, 5, 19}) {
        const Values x = parity::randomValues(4 * columns, 1, 2.0);
        const Values dy = parity::randomValues(4 * columns, 2);
        const Tensor y = f32({4, columns}, softmax(x, columns));
        const Tensor dx = f32Output({4, columns});
        core::ops::softmaxBackward(backend(), dx, f32({4, columns}, dy), y);
        const Values expected = parity::numericGradient(
            [&](const Values& v) { return parity::dot(dy, softmax(v, columns)); }, x);
        if (columns > 1) {
            expectClose(dx, expected, "dx");
        } else {
            EXPECT_EQ(read(dx), Values(4, 0.0));
        }
        const Tensor inPlace = f32({4, columns}, dy);
        core::ops::softmaxBackward(backend(), inPlace, inPlace, y);
        EXPECT_EQ(bytesOf(inPlace), bytesOf(dx));
    }
}

TEST_P(SoftmaxOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::softmaxForward(backend(), f32Output({2, 3}), f32Output({3, 2})),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::softmaxForward(backend(), f32Output({2, 0}), f32Output({2, 0})),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::softmaxForward(backend(), f32Output({6}), f32Output({6})),
                 core::CheckFailure);
}

PARITY_SUITE(SoftmaxOps);

}  // namespace
