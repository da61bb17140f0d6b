// SPDX-License-Identifier: Apache-2.0
#include "core/ops/rms_norm.h"

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
    Values rstd;
};

Reference normalise(const Values& x, const Values& gamma, const Sizes& s) {
    Reference out;
    for (std::int64_t r = 0; r < s.rows; ++r) {
        const double* row = x.data() + r * s.columns;
        double squares = 0.0;
        for (std::int64_t c = 0; c < s.columns; ++c) squares += row[c] * row[c];
        const double mean = squares / static_cast<double>(s.columns);
        out.rstd.push_back(1.0 / std::sqrt(mean + static_cast<double>(kNormEpsilon)));
        for (std::int64_t c = 0; c < s.columns; ++c)
            out.y.push_back(row[c] * out.rstd.back() * gamma[static_cast<std::size_t>(c)]);
    }
    return out;
}

class RmsNormOps : public parity::OpsTest {};

TEST_P(RmsNormOps, Forward) {
    for (const Sizes& s : kNormSizes) {
        const Values x = parity::randomValues(s.rows * s.columns, 1, 2.0);
        const Values gamma = parity::randomValues(s.columns, 2);
        const Tensor y = output({s.rows, s.columns});
        const Tensor rstd = f32Output({s.rows});
        core::ops::rmsNormForward(backend(), y, rstd, tensor({s.rows, s.columns}, x),
                                  f32({s.columns}, gamma), kNormEpsilon);
        const Reference expected = normalise(x, gamma, s);
        expectClose(y, expected.y, "y");
        expectClose(rstd, expected.rstd, "rstd");
    }
}

TEST_P(RmsNormOps, GradientByDifferences) {
    for (const Sizes& s : {Sizes{1, 7}, Sizes{4, 19}, Sizes{9, 5}, Sizes{1, 2}}) {
        const Values x = parity::randomValues(s.rows * s.columns, 1, 2.0);
        const Values gamma = parity::randomValues(s.columns, 2);
        const Values dy = parity::randomValues(s.rows * s.columns, 4);
        const Values before = parity::randomValues(s.columns, 5);
        const Tensor dx = output({s.rows, s.columns});
        const Tensor dGamma = f32({s.columns}, before);
        core::ops::rmsNormBackward(
            backend(), dx, dGamma, tensor({s.rows, s.columns}, dy), tensor({s.rows, s.columns}, x),
            f32({s.rows}, normalise(x, gamma, s).rstd), f32({s.columns}, gamma));
        const auto loss = [&](const Values& a, const Values& b) {
            return parity::dot(dy, normalise(a, b, s).y);
        };
        expectClose(dx, parity::numericGradient([&](const Values& v) { return loss(v, gamma); }, x),
                    "dx");
        expectClose(dGamma,
                    parity::plus(before, parity::numericGradient(
                                             [&](const Values& v) { return loss(x, v); }, gamma)),
                    "dGamma, accumulated");
    }
}

TEST_P(RmsNormOps, GradientInPlaceIsTheSame) {
    const Sizes s{777, 96};
    const Tensor x = tensor({s.rows, s.columns}, parity::randomValues(s.rows * s.columns, 1));
    const Values gamma = parity::randomValues(s.columns, 2);
    const Values dy = parity::randomValues(s.rows * s.columns, 3);
    const Tensor rstd = f32Output({s.rows});
    core::ops::rmsNormForward(backend(), output({s.rows, s.columns}), rstd, x,
                              f32({s.columns}, gamma), kNormEpsilon);
    const Tensor inPlace = tensor({s.rows, s.columns}, dy);
    const Tensor dx = output({s.rows, s.columns});
    const Tensor zeros = f32({s.columns}, Values(gamma.size(), 0.0));
    core::ops::rmsNormBackward(backend(), dx, zeros, inPlace, x, rstd, f32({s.columns}, gamma));
    core::ops::rmsNormBackward(backend(), inPlace, zeros, inPlace, x, rstd,
                               f32({s.columns}, gamma));
    EXPECT_EQ(bytesOf(inPlace), bytesOf(dx));
}

TEST_P(RmsNormOps, RowsOfZerosStayZero) {
    const Tensor y = output({2, 5});
    core::ops::rmsNormForward(backend(), y, f32Output({2}), tensor({2, 5}, Values(10, 0.0)),
                              f32({5}, Values(5, 2.0)), kNormEpsilon);
    EXPECT_EQ(read(y), Values(10, 0.0));
}

TEST_P(RmsNormOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::rmsNormForward(backend(), output({2, 3}), f32Output({3}),
                                           output({2, 3}), f32Output({3}), kNormEpsilon),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::rmsNormForward(backend(), output({2, 3}), f32Output({2}),
                                           output({2, 3}), f32Output({2}), kNormEpsilon),
                 core::CheckFailure);
}

PARITY_SUITE(RmsNormOps);

}  // namespace
