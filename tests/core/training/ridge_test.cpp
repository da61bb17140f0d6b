// SPDX-License-Identifier: Apache-2.0
#include "core/training/ridge.h"

#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace core::test {
namespace {

Matrix matrixOf(const Tensor& tensor) {
    Matrix matrix(tensor.size(0), tensor.size(1));
    std::copy(tensor.data<float>(), tensor.data<float>() + tensor.elements(),
              matrix.values.begin());
    return matrix;
}

Matrix targets(const Tensor& labels, std::int64_t classes) {
    Matrix y(labels.elements(), classes);
    for (std::int64_t i = 0; i < y.rows; ++i)
        for (std::int64_t k = 0; k < classes; ++k)
            y.row(i)[k] = labels.data<float>()[i] == static_cast<float>(k) ? 1.0 : -1.0;
    return y;
}

class Ridge : public ::testing::TestWithParam<std::string> {};

TEST_P(Ridge, EqualsTheEigendecomposition) {
    const Fixture fixture;
    const std::string name = GetParam();
    const Matrix train = matrixOf(fixture.tensor(name + ".train"));
    const RidgeSolver solver(whiten(train, whiteningOf(train)),
                             targets(fixture.tensor(name + ".labels"), 4));
    for (const auto& [slot, power] :
         {std::pair{"w_small", -10}, std::pair{"w_middle", 2}, std::pair{"w_large", 19}}) {
        const Matrix expected = matrixOf(fixture.tensor(name + "." + slot));
        const Matrix w = solver.solve(std::ldexp(1.0, power));
        ASSERT_EQ(w.values.size(), expected.values.size());
        double largest = 0;
        double difference = 0;
        for (std::size_t i = 0; i < w.values.size(); ++i) {
            largest = std::max(largest, std::abs(expected.values[i]));
            difference = std::max(difference, std::abs(w.values[i] - expected.values[i]));
        }
        EXPECT_LT(difference, 1e-6 * largest) << slot;
    }
}

INSTANTIATE_TEST_SUITE_P(Forms, Ridge, ::testing::Values("probe_primal", "probe_dual"),
                         [](const auto& test) { return test.param; });

TEST(Whitening, GivesMeanZeroDeviationOneAndTheConstant) {
    Matrix x(3, 2);
    x.values = {1, 5, 2, 5, 3, 5};
    const Matrix white = whiten(x, whiteningOf(x));
    ASSERT_EQ(white.columns, 3);
    EXPECT_NEAR(white.row(0)[0], -std::sqrt(1.5), 1e-4);
    EXPECT_NEAR(white.row(1)[0], 0.0, 1e-12);
    EXPECT_EQ(white.row(0)[1], 0.0);  // a dead feature stays 0
    EXPECT_EQ(white.row(2)[2], 100.0);
}

}  // namespace
}  // namespace core::test
