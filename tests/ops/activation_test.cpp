// SPDX-License-Identifier: Apache-2.0
#include "core/ops/activation.h"

#include "tests/ops/parity.h"

#include <array>
#include <numbers>

namespace {

using core::Activation;
using core::Tensor;
using parity::Values;

constexpr std::array kKinds{Activation::GeluErf, Activation::GeluTanh, Activation::Relu,
                            Activation::Silu};

double reference(double x, Activation kind) {
    switch (kind) {
        case Activation::GeluErf:
            return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
        case Activation::GeluTanh:
            return 0.5 * x *
                   (1.0 +
                    std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
        case Activation::Relu:
            return x > 0.0 ? x : 0.0;
        case Activation::Silu:
            break;
    }
    return x / (1.0 + std::exp(-x));
}

/// Away from ReLU's kink, where a difference is no derivative.
Values argumentsFor(std::int64_t n) {
    Values x = parity::randomValues(n, 11, 3.0);
    for (double& value : x)
        if (std::abs(value) < 0.01) value = 0.5;
    return x;
}

class ActivationOps : public parity::OpsTest {};

TEST_P(ActivationOps, ValuesOfManySizes) {
    for (const Activation kind : kKinds)
        for (const std::int64_t n : {1, 15, 16, 31, 4099, 20011}) {
            const Values x = argumentsFor(n);
            Values expected;
            for (const double value : x) expected.push_back(reference(value, kind));
            const Tensor y = output({n});
            core::ops::activationForward(backend(), y, tensor({n}, x), kind);
            expectClose(y, expected, "f(x)");
        }
}

TEST_P(ActivationOps, GradientByDifferences) {
    for (const Activation kind : kKinds)
        for (const std::int64_t n : {1, 37, 16411}) {
            const Values x = argumentsFor(n);
            const Values dy = parity::randomValues(n, 12);
            Values expected(x.size());
            for (std::size_t i = 0; i < x.size(); ++i)
                expected[i] =
                    dy[i] * (reference(x[i] + 1e-5, kind) - reference(x[i] - 1e-5, kind)) / 2e-5;
            const Tensor dx = output({n});
            core::ops::activationBackward(backend(), dx, tensor({n}, dy), tensor({n}, x), kind);
            expectClose(dx, expected, "dx");
            const Tensor inPlace = tensor({n}, dy);
            core::ops::activationBackward(backend(), inPlace, inPlace, tensor({n}, x), kind);
            EXPECT_EQ(bytesOf(inPlace), bytesOf(dx));
        }
}

TEST_P(ActivationOps, DenseGridIsAccurate) {
    Values x;
    for (int i = -12000; i <= 12000; ++i)
        x.push_back(static_cast<double>(static_cast<float>(i) * 1e-3F));
    for (const Activation kind : kKinds) {
        const auto n = static_cast<std::int64_t>(x.size());
        const Tensor y = output({n});
        core::ops::activationForward(backend(), y, tensor({n}, x), kind);
        const Values found = read(y);
        for (std::size_t i = 0; i < x.size(); ++i)
            ASSERT_NEAR(found[i], reference(x[i], kind), 3e-7 * std::max(1.0, std::abs(x[i])))
                << "x = " << x[i];
    }
}

TEST_P(ActivationOps, LargeArgumentsSaturate) {
    const Values x{-1e30, -200.0, -30.0, 30.0, 200.0, 1e30};
    for (const Activation kind : kKinds) {
        const Tensor y = output({6});
        const Tensor dx = output({6});
        core::ops::activationForward(backend(), y, tensor({6}, x), kind);
        core::ops::activationBackward(backend(), dx, tensor({6}, Values(6, 1.0)), tensor({6}, x),
                                      kind);
        const Values value = read(y);
        const Values slope = read(dx);
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_NEAR(value[i], 0.0, 1e-6) << x[i];
            EXPECT_NEAR(slope[i], 0.0, 1e-6) << x[i];
            EXPECT_FLOAT_EQ(static_cast<float>(value[i + 3]), static_cast<float>(x[i + 3]));
            EXPECT_NEAR(slope[i + 3], 1.0, 1e-6) << x[i + 3];
        }
    }
}

TEST_P(ActivationOps, NanStaysNan) {
    for (const Activation kind : kKinds) {
        const Tensor y = output({1});
        const Tensor x = tensor({1}, {std::nan("")});
        core::ops::activationForward(backend(), y, x, kind);
        EXPECT_TRUE(std::isnan(read(y)[0]));
    }
}

TEST_P(ActivationOps, RejectsOtherShapesAndInPlaceForward) {
    const Tensor x = output({4});
    EXPECT_THROW(core::ops::activationForward(backend(), output({5}), x, Activation::Relu),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::activationForward(backend(), x, x, Activation::Relu),
                 core::CheckFailure);
}

PARITY_SUITE(ActivationOps);

}  // namespace
