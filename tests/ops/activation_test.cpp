// SPDX-License-Identifier: Apache-2.0
#include "core/ops/activation.h"

#include "tests/ops/activation_reference.h"
#include "tests/ops/parity.h"

namespace {

using core::Activation;
using core::Tensor;
using parity::Values;

constexpr auto& kKinds = parity::kActivations;

class ActivationOps : public parity::OpsTest {};

TEST_P(ActivationOps, ValuesOfManySizes) {
    for (const Activation kind : kKinds)
        for (const std::int64_t n : {1, 15, 16, 31, 4099, 20011}) {
            const Values x = parity::activationArguments(n);
            Values expected;
            for (const double value : x) expected.push_back(parity::activation(value, kind));
            const Tensor y = output({n});
            core::ops::activationForward(backend(), y, tensor({n}, x), kind);
            expectClose(y, expected, "f(x)");
        }
}

TEST_P(ActivationOps, GradientByDifferences) {
    for (const Activation kind : kKinds)
        for (const std::int64_t n : {1, 37, 16411}) {
            const Values x = parity::activationArguments(n);
            const Values dy = parity::randomValues(n, 12);
            Values expected(x.size());
            for (std::size_t i = 0; i < x.size(); ++i)
                expected[i] = dy[i] * parity::activationSlope(x[i], kind);
            const Tensor dx = output({n});
            core::ops::activationBackward(backend(), dx, tensor({n}, dy), tensor({n}, x), kind);
            expectClose(dx, expected, "dx");
            const Tensor inPlace = tensor({n}, dy);
            core::ops::activationBackward(backend(), inPlace, inPlace, tensor({n}, x), kind);
            EXPECT_EQ(bytesOf(inPlace), bytesOf(dx));
        }
}

TEST_P(ActivationOps, GatedValuesAndGradients) {
    for (const Activation kind : kKinds)
        for (const std::int64_t n : {1, 15, 37, 4099, 40007}) {
            const Values x = parity::activationArguments(n);
            const Values gate = parity::randomValues(n, 13);
            const Values dy = parity::randomValues(n, 14);
            Values y(x.size());
            Values dx(x.size());
            Values dGate(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) {
                y[i] = parity::activation(x[i], kind) * gate[i];
                dx[i] = dy[i] * gate[i] * parity::activationSlope(x[i], kind);
                dGate[i] = dy[i] * parity::activation(x[i], kind);
            }
            const Tensor deviceX = tensor({n}, x);
            const Tensor deviceGate = tensor({n}, gate);
            const Tensor deviceY = output({n});
            core::ops::gatedActivationForward(backend(), deviceY, deviceX, deviceGate, kind);
            expectClose(deviceY, y, "y");
            const Tensor deviceDx = output({n});
            const Tensor deviceDGate = output({n});
            core::ops::gatedActivationBackward(backend(), deviceDx, deviceDGate, tensor({n}, dy),
                                               deviceX, deviceGate, kind);
            expectClose(deviceDx, dx, "dx");
            expectClose(deviceDGate, dGate, "dGate");
            const Tensor inPlace = tensor({n}, dy);
            const Tensor again = output({n});
            core::ops::gatedActivationBackward(backend(), inPlace, again, inPlace, deviceX,
                                               deviceGate, kind);
            EXPECT_EQ(bytesOf(inPlace), bytesOf(deviceDx));
            EXPECT_EQ(bytesOf(again), bytesOf(deviceDGate));
        }
}

TEST_P(ActivationOps, DenseGridIsAccurate) {
    Values x;
    for (int i = -12000; i <= 12000; ++i) x.push_back(1e-3 * i);
    x = stored(x);
    for (const Activation kind : kKinds) {
        const auto n = static_cast<std::int64_t>(x.size());
        const Tensor y = output({n});
        core::ops::activationForward(backend(), y, tensor({n}, x), kind);
        const Values found = read(y);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double value = parity::activation(x[i], kind);
            const double allowed =
                3e-7 * std::max(1.0, std::abs(x[i])) + rounding() * std::abs(value);
            ASSERT_NEAR(found[i], value, allowed) << "x = " << x[i];
        }
    }
}

TEST_P(ActivationOps, LargeArgumentsSaturate) {
    const Values x = stored({-1e30, -200.0, -30.0, 30.0, 200.0, 1e30});
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

TEST_P(ActivationOps, GatedRejectsMixturesAndWhatBackwardNeeds) {
    const auto forward = [&](const Tensor& y, const Tensor& x, const Tensor& gate) {
        core::ops::gatedActivationForward(backend(), y, x, gate, Activation::Silu);
    };
    const Tensor x = output({4});
    const Tensor gate = output({4});
    expectRefusal([&] { forward(output({4}), x, ofOtherType({4})); },
                  "[gatedActivationForward] gate is");
    expectRefusal([&] { forward(x, x, gate); }, "y is x or gate, which backward needs");
    expectRefusal([&] { forward(gate, x, gate); }, "y is x or gate, which backward needs");
    const Tensor dy = output({4});
    expectRefusal(
        [&] {
            core::ops::gatedActivationBackward(backend(), output({4}), dy, dy, x, gate,
                                               Activation::Silu);
        },
        "dGate is dy or dx");
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
