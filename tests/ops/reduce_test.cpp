// SPDX-License-Identifier: Apache-2.0
#include "core/ops/reduce.h"

#include "core/ops/memory.h"
#include "tests/ops/parity.h"

#include <limits>

namespace {

using parity::Values;

class ReduceOps : public parity::OpsTest {
  protected:
    double sumOfSquares(std::span<const core::Tensor> xs) {
        return number([&](core::Out total) { core::ops::sumOfSquares(backend(), total, xs); });
    }
};

TEST_P(ReduceOps, SumsInDouble) {
    for (const std::int64_t n : {0, 1, 5, 16, 33, 1000, 32768, 100003}) {
        const Values x = parity::randomValues(n, 1, 100.0);
        double total = 0.0;
        double squares = 0.0;
        double size = 0.0;
        for (const double value : x) {
            total += value;
            squares += value * value;
            size += std::abs(value);
        }
        EXPECT_NEAR(number([&](core::Out into) { core::ops::sum(backend(), into, f32({n}, x)); }),
                    total, 1e-12 * size + 1e-300);
        EXPECT_NEAR(sumOfSquares(std::vector{f32({n}, x)}), squares, 1e-12 * squares + 1e-300);
    }
}

TEST_P(ReduceOps, SquaresOfSeveralTensorsAreOneSum) {
    std::vector<core::Tensor> tensors;
    double squares = 0.0;
    for (const std::int64_t n : {7, 0, 40001, 1, 256}) {
        const Values x = parity::randomValues(n, static_cast<std::uint64_t>(n));
        for (const double value : x) squares += value * value;
        tensors.push_back(f32({n}, x));
    }
    EXPECT_NEAR(sumOfSquares(tensors), squares, 1e-12 * squares);
    tensors.push_back(f32({2}, {1.0, std::nan("")}));
    EXPECT_FALSE(std::isfinite(sumOfSquares(tensors)));
    EXPECT_EQ(sumOfSquares({}), 0.0);
    tensors.back() = core::ops::toDevice(backend(), core::Tensor::zeros({3}, core::DType::BF16));
    expectRefusal([&] { sumOfSquares(tensors); }, "BF16 [3], expected F32");
}

TEST_P(ReduceOps, SmallTermsAreNotLostInLargeOnes) {
    Values x(70000, 1.0);
    x[0] = 1e9;
    EXPECT_EQ(number([&](core::Out into) { core::ops::sum(backend(), into, f32({70000}, x)); }),
              1e9 + 69999.0);
}

TEST_P(ReduceOps, NotFiniteWhenAnElementIsNot) {
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()})
        for (const std::size_t at : {std::size_t{0}, std::size_t{500}, std::size_t{1000}}) {
            Values x(1001, 1.0);
            x[at] = bad;
            EXPECT_FALSE(std::isfinite(sumOfSquares(std::vector{f32({1001}, x)})));
        }
}

TEST_P(ReduceOps, LargeFiniteElementsStayFinite) {
    EXPECT_NEAR(sumOfSquares(std::vector{f32({20}, Values(20, 1e30))}) / 2e61, 1.0, 1e-6);
}

TEST_P(ReduceOps, RejectsOtherTypes) {
    EXPECT_THROW(number([&](core::Out total) {
                     core::ops::sum(backend(), total, labels({1, 2}));
                 }),
                 core::CheckFailure);
    EXPECT_THROW(sumOfSquares(std::vector<core::Tensor>(1)), core::CheckFailure);
}

PARITY_SUITE(ReduceOps);

}  // namespace
