// SPDX-License-Identifier: Apache-2.0
#include "core/ops/layer_norm.h"

#include "tests/ops/norm_sizes.h"
#include "tests/ops/parity.h"

namespace {

using core::Tensor;
using parity::kNormEpsilon;
using parity::kNormSizes;
using parity::Values;
using Sizes = parity::NormSizes;

struct Reference {
    Values y;
    Values mean;
    Values rstd;
};

Reference normalise(const Values& x, const Values& gamma, const Values& beta, const Sizes& s) {
    Reference out;
    for (std::int64_t r = 0; r < s.rows; ++r) {
        const double* row = x.data() + r * s.columns;
        double mean = 0.0;
        double variance = 0.0;
        for (std::int64_t c = 0; c < s.columns; ++c)
            mean += row[c] / static_cast<double>(s.columns);
        for (std::int64_t c = 0; c < s.columns; ++c)
            variance += (row[c] - mean) * (row[c] - mean) / static_cast<double>(s.columns);
        const double rstd = 1.0 / std::sqrt(variance + static_cast<double>(kNormEpsilon));
        out.mean.push_back(mean);
        out.rstd.push_back(rstd);
        for (std::int64_t c = 0; c < s.columns; ++c)
            out.y.push_back((row[c] - mean) * rstd * gamma[static_cast<std::size_t>(c)] +
                            beta[static_cast<std::size_t>(c)]);
    }
    return out;
}

class LayerNormOps : public parity::OpsTest {};

TEST_P(LayerNormOps, Forward) {
    for (const Sizes& s : kNormSizes) {
        Values x = parity::randomValues(s.rows * s.columns, 1, 2.0);
        for (double& value : x) value = parity::representable(value + 3.0);
        const Values gamma = parity::randomValues(s.columns, 2);
        const Values beta = parity::randomValues(s.columns, 3);
        const Tensor y = output({s.rows, s.columns});
        const Tensor mean = f32Output({s.rows});
        const Tensor rstd = f32Output({s.rows});
        core::ops::layerNormForward(backend(), y, mean, rstd, tensor({s.rows, s.columns}, x),
                                    f32({s.columns}, gamma), f32({s.columns}, beta), kNormEpsilon);
        const Reference expected = normalise(x, gamma, beta, s);
        expectClose(y, expected.y, "y");
        expectClose(mean, expected.mean, "mean");
        expectClose(rstd, expected.rstd, "rstd");
    }
}

TEST_P(LayerNormOps, GradientByDifferences) {
    for (const Sizes& s : {Sizes{1, 7}, Sizes{4, 19}, Sizes{9, 5}}) {
        const Values x = parity::randomValues(s.rows * s.columns, 1, 2.0);
        const Values gamma = parity::randomValues(s.columns, 2);
        const Values beta = parity::randomValues(s.columns, 3);
        const Values dy = parity::randomValues(s.rows * s.columns, 4);
        const Values before = parity::randomValues(s.columns, 5);
        const Reference saved = normalise(x, gamma, beta, s);
        const Tensor dx = output({s.rows, s.columns});
        const Tensor dGamma = f32({s.columns}, before);
        const Tensor dBeta = f32({s.columns}, before);
        core::ops::layerNormBackward(backend(), dx, dGamma, dBeta, tensor({s.rows, s.columns}, dy),
                                     tensor({s.rows, s.columns}, x), f32({s.rows}, saved.mean),
                                     f32({s.rows}, saved.rstd), f32({s.columns}, gamma));
        const auto loss = [&](const Values& a, const Values& b, const Values& c) {
            return parity::dot(dy, normalise(a, b, c, s).y);
        };
        using parity::numericGradient;
        using parity::plus;
        expectClose(dx, numericGradient([&](const Values& v) { return loss(v, gamma, beta); }, x),
                    "dx");
        expectClose(
            dGamma,
            plus(before, numericGradient([&](const Values& v) { return loss(x, v, beta); }, gamma)),
            "dGamma, accumulated");
        expectClose(
            dBeta,
            plus(before, numericGradient([&](const Values& v) { return loss(x, gamma, v); }, beta)),
            "dBeta, accumulated");
    }
}

TEST_P(LayerNormOps, GradientsOfManyRows) {
    const Sizes s{777, 96};
    const Values x = parity::randomValues(s.rows * s.columns, 1);
    const Values gamma = parity::randomValues(s.columns, 2);
    const Values dy = parity::randomValues(s.rows * s.columns, 3);
    const Reference saved = normalise(x, gamma, Values(gamma.size(), 0.0), s);
    Values expected(gamma.size(), 0.0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t row = i / gamma.size();
        expected[i % gamma.size()] += dy[i] * (x[i] - saved.mean[row]) * saved.rstd[row];
    }
    const Tensor inPlace = tensor({s.rows, s.columns}, dy);
    const Tensor dx = output({s.rows, s.columns});
    const Tensor dGamma = f32({s.columns}, Values(gamma.size(), 0.0));
    const Tensor dBeta = f32({s.columns}, Values(gamma.size(), 0.0));
    const auto backward = [&](const Tensor& into, const Tensor& slopes) {
        core::ops::layerNormBackward(backend(), into, dGamma, dBeta, slopes,
                                     tensor({s.rows, s.columns}, x), f32({s.rows}, saved.mean),
                                     f32({s.rows}, saved.rstd), f32({s.columns}, gamma));
    };
    backward(dx, tensor({s.rows, s.columns}, dy));
    expectClose(dGamma, expected, "dGamma");
    backward(inPlace, inPlace);
    EXPECT_EQ(bytesOf(inPlace), bytesOf(dx));
}

TEST_P(LayerNormOps, ConstantRowsAreBeta) {
    const Tensor y = output({2, 5});
    core::ops::layerNormForward(backend(), y, f32Output({2}), f32Output({2}),
                                tensor({2, 5}, Values(10, 1234.5)), f32({5}, Values(5, 2.0)),
                                f32({5}, {1, 2, 3, 4, 5}), kNormEpsilon);
    expectClose(y, {1, 2, 3, 4, 5, 1, 2, 3, 4, 5}, "y");
}

TEST_P(LayerNormOps, ASingleColumnSendsNoGradient) {
    // Whatever x is, y is beta; rounding must not come out multiplied by rstd = 10^6.
    const std::int64_t rows = 33;
    const Tensor dx = output({rows, 1});
    core::ops::layerNormBackward(backend(), dx, f32({1}, {0}), f32({1}, {0}),
                                 tensor({rows, 1}, parity::randomValues(rows, 1)),
                                 tensor({rows, 1}, parity::randomValues(rows, 2)),
                                 f32({rows}, parity::randomValues(rows, 2)),
                                 f32({rows}, Values(static_cast<std::size_t>(rows), 1e6)),
                                 f32({1}, {1.3}));
    EXPECT_EQ(read(dx), Values(static_cast<std::size_t>(rows), 0.0));
}

TEST_P(LayerNormOps, TwoColumnsAgreeWithTheDefinition) {
    // xHat is nearly (1, -1) whatever x is: the gradient is almost nothing beside its terms.
    const Values x{0.75, -0.5};
    const Values gamma{1.1, 0.7};
    const Values dy{0.3125, -0.90625};
    const Reference saved = normalise(x, gamma, {0, 0}, {1, 2});
    const Tensor dx = output({1, 2});
    core::ops::layerNormBackward(backend(), dx, f32({2}, {0, 0}), f32({2}, {0, 0}),
                                 tensor({1, 2}, dy), tensor({1, 2}, x), f32({1}, saved.mean),
                                 f32({1}, saved.rstd), f32({2}, gamma));
    const Values expected = parity::numericGradient(
        [&](const Values& v) {
            return parity::dot(dy, normalise(v, gamma, {0, 0}, {1, 2}).y);
        },
        x);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(read(dx)[i], expected[i], 3e-7);
}

TEST_P(LayerNormOps, RejectsOtherShapes) {
    EXPECT_THROW(
        core::ops::layerNormForward(backend(), output({2, 3}), f32Output({2}), f32Output({3}),
                                    output({2, 3}), f32Output({3}), f32Output({3}), kNormEpsilon),
        core::CheckFailure);
    EXPECT_THROW(
        core::ops::layerNormForward(backend(), output({2, 3}), f32Output({2}), f32Output({2}),
                                    output({2, 3}), f32Output({2}), f32Output({3}), kNormEpsilon),
        core::CheckFailure);
}

PARITY_SUITE(LayerNormOps);

}  // namespace
