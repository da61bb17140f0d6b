// SPDX-License-Identifier: Apache-2.0
#include "core/ops/linear.h"

#include "tests/ops/activation_reference.h"
#include "tests/ops/parity.h"

#include <algorithm>
#include <span>
#include <vector>

namespace {

using core::Tensor;
using parity::Values;

struct Sizes {
    std::int64_t rows;
    std::int64_t in;
    std::int64_t out;
};

constexpr Sizes kSizes[] = {{1, 1, 1},     {1, 5, 3},   {7, 13, 11},   {50, 96, 33},
                            {129, 31, 64}, {3, 1, 257}, {1000, 17, 10}};

Values multiply(const Values& x, const Values& weight, const Values& bias, const Sizes& s) {
    Values y(static_cast<std::size_t>(s.rows * s.out));
    for (std::int64_t r = 0; r < s.rows; ++r)
        for (std::int64_t o = 0; o < s.out; ++o) {
            double total = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(o)];
            for (std::int64_t i = 0; i < s.in; ++i)
                total += x[static_cast<std::size_t>(r * s.in + i)] *
                         weight[static_cast<std::size_t>(o * s.in + i)];
            y[static_cast<std::size_t>(r * s.out + o)] = total;
        }
    return y;
}

/// More than one block of rows, of columns and of depth.
constexpr Sizes kLarge[] = {{601, 2201, 7}, {150, 40, 1203}, {20, 2201, 70}};
/// The same of the gradient of x, and a gradient of the weight that threads sum apart.
constexpr Sizes kLargeBackward[] = {{601, 7, 2201}, {150, 1203, 40}, {2100, 70, 65}};

std::vector<Sizes> with(std::span<const Sizes> large) {
    std::vector<Sizes> sizes(std::begin(kSizes), std::end(kSizes));
    sizes.insert(sizes.end(), large.begin(), large.end());
    return sizes;
}

class LinearOps : public parity::OpsTest {};

TEST_P(LinearOps, ForwardWithAndWithoutBias) {
    for (const Sizes& s : with(kLarge)) {
        const Values x = parity::randomValues(s.rows * s.in, 1);
        const Values weight = parity::randomValues(s.out * s.in, 2);
        const Values bias = parity::randomValues(s.out, 3);
        const Tensor plain = output({s.rows, s.out});
        core::ops::linearForward(backend(), plain, tensor({s.rows, s.in}, x),
                                 tensor({s.out, s.in}, weight));
        expectClose(plain, multiply(x, weight, {}, s), "y without bias");
        const Tensor y = output({s.rows, s.out});
        core::ops::linearForward(backend(), y, tensor({s.rows, s.in}, x),
                                 tensor({s.out, s.in}, weight), f32({s.out}, bias));
        expectClose(y, multiply(x, weight, bias, s), "y");
    }
}

TEST_P(LinearOps, BackwardIsTheTransposedProduct) {
    for (const Sizes& s : with(kLargeBackward)) {
        const Values dy = parity::randomValues(s.rows * s.out, 4);
        const Values weight = parity::randomValues(s.out * s.in, 5);
        const Values x = parity::randomValues(s.rows * s.in, 6);
        Values dx(x.size(), 0.0);
        Values dWeight = parity::randomValues(s.out * s.in, 7);
        Values dBias = parity::randomValues(s.out, 8);
        const Tensor deviceDWeight = f32({s.out, s.in}, dWeight);
        const Tensor deviceDBias = f32({s.out}, dBias);
        for (std::int64_t r = 0; r < s.rows; ++r)
            for (std::int64_t o = 0; o < s.out; ++o) {
                const double slope = dy[static_cast<std::size_t>(r * s.out + o)];
                dBias[static_cast<std::size_t>(o)] += slope;
                for (std::int64_t i = 0; i < s.in; ++i) {
                    dx[static_cast<std::size_t>(r * s.in + i)] +=
                        slope * weight[static_cast<std::size_t>(o * s.in + i)];
                    dWeight[static_cast<std::size_t>(o * s.in + i)] +=
                        slope * x[static_cast<std::size_t>(r * s.in + i)];
                }
            }
        const Tensor deviceDx = output({s.rows, s.in});
        core::ops::linearBackwardData(backend(), deviceDx, tensor({s.rows, s.out}, dy),
                                      tensor({s.out, s.in}, weight));
        core::ops::linearBackwardWeight(backend(), deviceDWeight, deviceDBias,
                                        tensor({s.rows, s.out}, dy), tensor({s.rows, s.in}, x));
        expectClose(deviceDx, dx, "dx");
        expectClose(deviceDWeight, dWeight, "dWeight, accumulated");
        expectClose(deviceDBias, dBias, "dBias, accumulated");
    }
}

TEST_P(LinearOps, GradientByDifferences) {
    const Sizes s{3, 5, 4};
    const Values x = parity::randomValues(s.rows * s.in, 1);
    const Values weight = parity::randomValues(s.out * s.in, 2);
    const Values bias = parity::randomValues(s.out, 3);
    const Values dy = parity::randomValues(s.rows * s.out, 4);
    const Tensor dx = output({s.rows, s.in});
    const Tensor dWeight = f32({s.out, s.in}, Values(weight.size(), 0.0));
    const Tensor dBias = f32({s.out}, Values(bias.size(), 0.0));
    core::ops::linearBackwardData(backend(), dx, tensor({s.rows, s.out}, dy),
                                  tensor({s.out, s.in}, weight));
    core::ops::linearBackwardWeight(backend(), dWeight, dBias, tensor({s.rows, s.out}, dy),
                                    tensor({s.rows, s.in}, x));
    using parity::dot;
    using parity::numericGradient;
    expectClose(
        dx,
        numericGradient([&](const Values& v) { return dot(dy, multiply(v, weight, bias, s)); }, x),
        "dx");
    expectClose(
        dWeight,
        numericGradient([&](const Values& v) { return dot(dy, multiply(x, v, bias, s)); }, weight),
        "dWeight");
    expectClose(
        dBias,
        numericGradient([&](const Values& v) { return dot(dy, multiply(x, weight, v, s)); }, bias),
        "dBias");
}

TEST_P(LinearOps, ActivationBehindTheLayer) {
    for (const core::Activation kind : parity::kActivations)
        for (const Sizes& s : kind == core::Activation::GeluErf ? with(kLarge) : with({}))
            for (const bool withBias : {false, true}) {
                const Values x = parity::randomValues(s.rows * s.in, 1);
                const Values weight = parity::randomValues(s.out * s.in, 2, 0.5);
                const Values bias = withBias ? parity::randomValues(s.out, 3) : Values();
                const Values before = multiply(x, weight, bias, s);
                Values y;
                for (const double value : before) y.push_back(parity::activation(value, kind));
                const Tensor deviceY = output({s.rows, s.out});
                const Tensor deviceBefore = output({s.rows, s.out});
                core::ops::linearActivationForward(
                    backend(), deviceY, deviceBefore, tensor({s.rows, s.in}, x),
                    tensor({s.out, s.in}, weight), withBias ? f32({s.out}, bias) : Tensor(), kind);
                expectClose(deviceBefore, before, "before");
                expectClose(deviceY, y, "y", 2.0);  // of `before`, which may be rounded
            }
}

TEST_P(LinearOps, BackThroughTheActivationBeforeTheLayer) {
    for (const core::Activation kind : parity::kActivations)
        for (const Sizes& s : kind == core::Activation::GeluErf ? with(kLargeBackward) : with({})) {
            const Values dy = parity::randomValues(s.rows * s.out, 4);
            const Values weight = parity::randomValues(s.out * s.in, 5);
            const Values before = parity::activationArguments(s.rows * s.in, 6, 1.0);
            Values expected(before.size(), 0.0);
            for (std::size_t i = 0; i < before.size(); ++i) {
                const std::size_t row = i / static_cast<std::size_t>(s.in);
                const std::size_t column = i % static_cast<std::size_t>(s.in);
                for (std::size_t o = 0; o < static_cast<std::size_t>(s.out); ++o)
                    expected[i] += dy[row * static_cast<std::size_t>(s.out) + o] *
                                   weight[o * static_cast<std::size_t>(s.in) + column];
                expected[i] *= parity::activationSlope(before[i], kind);
            }
            const Tensor dBefore = output({s.rows, s.in});
            core::ops::linearActivationBackwardData(backend(), dBefore, tensor({s.rows, s.out}, dy),
                                                    tensor({s.out, s.in}, weight),
                                                    tensor({s.rows, s.in}, before), kind);
            expectClose(dBefore, expected, "dBefore", 2.0);  // dy weight may be rounded too
        }
}

Values positivePart(Values values) {
    for (double& value : values) value = std::max(value, 0.0);
    return values;
}

TEST_P(LinearOps, ReluMayLieInThePlaceOfWhatItIsOf) {
    constexpr core::Activation kRelu = core::Activation::Relu;
    for (const Sizes& s : kSizes) {
        const Values weight = parity::randomValues(s.out * s.in, 2);
        const Values x = parity::randomValues(s.rows * s.in, 1);
        for (const bool withBias : {false, true}) {
            const Values bias = withBias ? parity::randomValues(s.out, 3) : Values();
            const Tensor y = output({s.rows, s.out});
            core::ops::linearActivationForward(backend(), y, y, tensor({s.rows, s.in}, x),
                                               tensor({s.out, s.in}, weight),
                                               withBias ? f32({s.out}, bias) : Tensor(), kRelu);
            expectClose(y, positivePart(multiply(x, weight, bias, s)), "y");
        }
        const Values before = parity::activationArguments(s.rows * s.in, 6, 1.0);
        const auto backward = [&](const Values& at) {
            const Tensor dBefore = output({s.rows, s.in});
            core::ops::linearActivationBackwardData(
                backend(), dBefore,
                tensor({s.rows, s.out}, parity::randomValues(s.rows * s.out, 4)),
                tensor({s.out, s.in}, weight), tensor({s.rows, s.in}, at), kRelu);
            return read(dBefore);
        };
        EXPECT_EQ(backward(positivePart(before)), backward(before));
    }
}

TEST_P(LinearOps, NoRowsLeaveGradientsAlone) {
    const Tensor dWeight = f32({2, 3}, Values(6, 1.5));
    const Tensor dBias = f32({2}, Values(2, 2.5));
    core::ops::linearForward(backend(), output({0, 2}), output({0, 3}),
                             tensor({2, 3}, Values(6, 1.0)));
    core::ops::linearBackwardData(backend(), output({0, 3}), output({0, 2}),
                                  tensor({2, 3}, Values(6, 1.0)));
    core::ops::linearBackwardWeight(backend(), dWeight, dBias, output({0, 2}), output({0, 3}));
    core::ops::linearActivationForward(backend(), output({0, 2}), output({0, 2}), output({0, 3}),
                                       tensor({2, 3}, Values(6, 1.0)), {}, core::Activation::Relu);
    core::ops::linearActivationBackwardData(backend(), output({0, 3}), output({0, 2}),
                                            tensor({2, 3}, Values(6, 1.0)), output({0, 3}),
                                            core::Activation::Relu);
    EXPECT_EQ(read(dWeight), Values(6, 1.5));
    EXPECT_EQ(read(dBias), Values(2, 2.5));
}

TEST_P(LinearOps, SaysWhatIsWrong) {
    const std::string type(core::dtypeName(dtype()));
    const Tensor other = ofOtherType({3, 5});
    const std::string otherType(core::dtypeName(other.dtype()));
    expectRefusal(
        [&] {
            core::ops::linearForward(backend(), output({2, 3}), output({2, 5}), output({3, 4}));
        },
        "[linearForward] weight is " + type + " [3, 4], expected " + type + " [out, 5]");
    expectRefusal(
        [&] {
            core::ops::linearForward(backend(), output({2, 3}), output({2, 5}), other);
        },
        "[linearForward] weight is " + otherType + " [3, 5], expected " + type + " [out, 5]");
    expectRefusal(
        [&] {
            core::ops::linearBackwardData(backend(), output({2, 5}), output({2, 3}), other);
        },
        "[linearBackwardData] dy is " + type + " [2, 3], expected " + otherType + " [m, 3]");
    expectRefusal(
        [&] {
            core::ops::linearForward(backend(), output({2, 3}), output({2, 5}), output({3, 5}),
                                     labels({1, 2, 3}));
        },
        "[linearForward] bias is I64 [3], expected F32 [3]");
    const auto activated = [&](const Tensor& y, const Tensor& before, const Tensor& weight) {
        core::ops::linearActivationForward(backend(), y, before, output({2, 5}), weight, {},
                                           core::Activation::Silu);
    };
    expectRefusal(
        [&] {
            activated(output({2, 3}), output({2, 3}), other);
        },
        "[linearActivationForward] weight is " + otherType);
    const Tensor both = output({2, 3});
    expectRefusal(
        [&] {
            activated(both, both, output({3, 5}));
        },
        "y is before, which backward needs");
    expectRefusal(
        [&] {
            core::ops::linearActivationBackwardData(backend(), output({2, 5}), output({2, 3}),
                                                    output({3, 5}), ofOtherType({2, 5}),
                                                    core::Activation::Silu);
        },
        "[linearActivationBackwardData] before is " + otherType);
    EXPECT_THROW(core::ops::linearForward(backend(), output({2, 3}), output({2, 5}), output({3, 5}),
                                          f32Output({2})),
                 core::CheckFailure);
    EXPECT_THROW(
        core::ops::linearBackwardData(backend(), output({2, 5}), output({2, 4}), output({3, 5})),
        core::CheckFailure);
    EXPECT_THROW(core::ops::linearBackwardWeight(backend(), f32Output({3, 5}), {}, output({2, 3}),
                                                 output({4, 5})),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::linearForward(backend(), {}, output({2, 5}), output({3, 5})),
                 core::CheckFailure);
}

PARITY_SUITE(LinearOps);

}  // namespace
