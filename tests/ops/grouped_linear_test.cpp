// SPDX-License-Identifier: Apache-2.0
#include "core/ops/grouped_linear.h"

#include "tests/ops/activation_reference.h"
#include "tests/ops/parity.h"

#include <algorithm>

namespace {

using core::Tensor;
using parity::Values;
using Offsets = std::vector<std::int64_t>;

constexpr std::int64_t kIn = 13;
constexpr std::int64_t kOut = 21;

struct Case {
    Offsets offsets;
    std::int64_t in = kIn;
    std::int64_t out = kOut;
};

/// Forty experts, most of them without a row.
Offsets seventeenRowsOfForty() {
    Offsets offsets;
    for (std::int64_t e = 0; e <= 40; ++e) offsets.push_back(e * 17 / 40);
    return offsets;
}

/// Uneven, an empty first, middle and last expert, all rows on one expert, single rows, nothing at
/// all.
const std::vector<Case> kCases{{{0, 5, 12, 40}}, {{0, 0, 7, 7, 9, 9}}, {{0, 0, 50, 50}},
                               {{0, 1, 2, 3}},   {{0, 300, 301, 640}}, {seventeenRowsOfForty()},
                               {{0, 17}},        {{0, 0, 0}}};

/// More than one block of rows, of columns and of depth, whole and with a rest, in widths that are
/// read in packs and others.
const std::vector<Case> kLarge{{{0, 0, 130, 131, 200}, 136, 264},
                               {{0, 129, 129, 140}, 131, 37},
                               {{0, 128, 384, 385}, 48, 16},
                               {{0, 70, 140}, 24, 32}};

std::vector<Case> withLarge() {
    std::vector<Case> cases = kCases;
    cases.insert(cases.end(), kLarge.begin(), kLarge.end());
    return cases;
}

struct Example {
    explicit Example(const Case& sizes)
        : offsets(sizes.offsets),
          in(sizes.in),
          out(sizes.out),
          experts(static_cast<std::int64_t>(offsets.size()) - 1),
          slots(offsets.back()),
          x(parity::randomValues(slots * in, 1)),
          weight(parity::randomValues(experts * out * in, 2)),
          bias(parity::randomValues(experts * out, 3)),
          dy(parity::randomValues(slots * out, 4)) {}

    std::int64_t expertOf(std::int64_t slot) const {
        std::int64_t e = 0;
        while (offsets[static_cast<std::size_t>(e) + 1] <= slot) ++e;
        return e;
    }

    Values forward(bool withBias) const {
        Values y;
        for (std::int64_t s = 0; s < slots; ++s)
            for (std::int64_t o = 0; o < out; ++o) {
                const std::int64_t row = expertOf(s) * out + o;
                double total = withBias ? bias[static_cast<std::size_t>(row)] : 0.0;
                for (std::int64_t i = 0; i < in; ++i)
                    total += x[static_cast<std::size_t>(s * in + i)] *
                             weight[static_cast<std::size_t>(row * in + i)];
                y.push_back(total);
            }
        return y;
    }

    Offsets offsets;
    std::int64_t in;
    std::int64_t out;
    std::int64_t experts;
    std::int64_t slots;
    Values x;
    Values weight;
    Values bias;
    Values dy;
};

class GroupedLinearOps : public parity::OpsTest {};

TEST_P(GroupedLinearOps, Forward) {
    for (const Case& sizes : withLarge()) {
        const Example ex(sizes);
        for (const bool withBias : {false, true}) {
            const Tensor y = output({ex.slots, ex.out});
            core::ops::groupedLinearForward(
                backend(), y, tensor({ex.slots, ex.in}, ex.x),
                tensor({ex.experts, ex.out, ex.in}, ex.weight),
                withBias ? f32({ex.experts, ex.out}, ex.bias) : Tensor(), ex.offsets);
            expectClose(y, ex.forward(withBias), "y");
        }
    }
}

TEST_P(GroupedLinearOps, BackwardAccumulatesPerExpert) {
    for (const Case& sizes : withLarge()) {
        const Example ex(sizes);
        Values dx(ex.x.size(), 0.0);
        Values dWeight = parity::randomValues(ex.experts * ex.out * ex.in, 5);
        Values dBias = parity::randomValues(ex.experts * ex.out, 6);
        const Tensor deviceDWeight = f32({ex.experts, ex.out, ex.in}, dWeight);
        const Tensor deviceDBias = f32({ex.experts, ex.out}, dBias);
        for (std::int64_t s = 0; s < ex.slots; ++s)
            for (std::int64_t o = 0; o < ex.out; ++o) {
                const double slope = ex.dy[static_cast<std::size_t>(s * ex.out + o)];
                const std::int64_t row = ex.expertOf(s) * ex.out + o;
                dBias[static_cast<std::size_t>(row)] += slope;
                for (std::int64_t i = 0; i < ex.in; ++i) {
                    const auto at = static_cast<std::size_t>(row * ex.in + i);
                    dx[static_cast<std::size_t>(s * ex.in + i)] += slope * ex.weight[at];
                    dWeight[at] += slope * ex.x[static_cast<std::size_t>(s * ex.in + i)];
                }
            }
        const Tensor deviceDx = output({ex.slots, ex.in});
        const Tensor dy = tensor({ex.slots, ex.out}, ex.dy);
        core::ops::groupedLinearBackwardData(
            backend(), deviceDx, dy, tensor({ex.experts, ex.out, ex.in}, ex.weight), ex.offsets);
        core::ops::groupedLinearBackwardWeight(backend(), deviceDWeight, deviceDBias, dy,
                                               tensor({ex.slots, ex.in}, ex.x), ex.offsets);
        expectClose(deviceDx, dx, "dx");
        expectClose(deviceDWeight, dWeight, "dWeight");
        expectClose(deviceDBias, dBias, "dBias");
    }
}

TEST_P(GroupedLinearOps, GradientByDifferences) {
    Example ex({{0, 2, 2, 5}});
    const Tensor dx = output({ex.slots, ex.in});
    const Tensor dWeight = f32({ex.experts, ex.out, ex.in}, Values(ex.weight.size(), 0.0));
    const Tensor dy = tensor({ex.slots, ex.out}, ex.dy);
    core::ops::groupedLinearBackwardData(
        backend(), dx, dy, tensor({ex.experts, ex.out, ex.in}, ex.weight), ex.offsets);
    core::ops::groupedLinearBackwardWeight(backend(), dWeight, {}, dy,
                                           tensor({ex.slots, ex.in}, ex.x), ex.offsets);
    const auto lossOfX = [&](const Values& v) {
        Example moved = ex;
        moved.x = v;
        return parity::dot(ex.dy, moved.forward(true));
    };
    const auto lossOfWeight = [&](const Values& v) {
        Example moved = ex;
        moved.weight = v;
        return parity::dot(ex.dy, moved.forward(true));
    };
    expectClose(dx, parity::numericGradient(lossOfX, ex.x), "dx");
    expectClose(dWeight, parity::numericGradient(lossOfWeight, ex.weight), "dWeight");
}

TEST_P(GroupedLinearOps, ActivationBehindTheLayers) {
    for (const core::Activation kind : parity::kActivations)
        for (const Case& sizes : kind == core::Activation::GeluErf ? withLarge() : kCases)
            for (const bool withBias : {false, true}) {
                const Example ex(sizes);
                const Values before = ex.forward(withBias);
                Values y;
                for (const double value : before) y.push_back(parity::activation(value, kind));
                const Tensor deviceY = output({ex.slots, ex.out});
                const Tensor deviceBefore = output({ex.slots, ex.out});
                core::ops::groupedLinearActivationForward(
                    backend(), deviceY, deviceBefore, tensor({ex.slots, ex.in}, ex.x),
                    tensor({ex.experts, ex.out, ex.in}, ex.weight),
                    withBias ? f32({ex.experts, ex.out}, ex.bias) : Tensor(), ex.offsets, kind);
                expectClose(deviceBefore, before, "before");
                expectClose(deviceY, y, "y", 2.0);  // of `before`, which may be rounded
            }
}

TEST_P(GroupedLinearOps, BackThroughTheActivationBeforeTheLayers) {
    for (const core::Activation kind : parity::kActivations)
        for (const Case& sizes : kind == core::Activation::GeluErf ? withLarge() : kCases) {
            const Example ex(sizes);
            const Values before = parity::activationArguments(ex.slots * ex.in, 5, 1.0);
            Values expected(before.size(), 0.0);
            for (std::size_t i = 0; i < before.size(); ++i) {
                const auto slot = static_cast<std::int64_t>(i) / ex.in;
                const std::int64_t column = static_cast<std::int64_t>(i) % ex.in;
                for (std::int64_t o = 0; o < ex.out; ++o)
                    expected[i] += ex.dy[static_cast<std::size_t>(slot * ex.out + o)] *
                                   ex.weight[static_cast<std::size_t>(
                                       (ex.expertOf(slot) * ex.out + o) * ex.in + column)];
                expected[i] *= parity::activationSlope(before[i], kind);
            }
            const Tensor dBefore = output({ex.slots, ex.in});
            core::ops::groupedLinearActivationBackwardData(
                backend(), dBefore, tensor({ex.slots, ex.out}, ex.dy),
                tensor({ex.experts, ex.out, ex.in}, ex.weight), tensor({ex.slots, ex.in}, before),
                ex.offsets, kind);
            expectClose(dBefore, expected, "dBefore", 2.0);  // dy weight may be rounded too
        }
}

TEST_P(GroupedLinearOps, ReluMayLieInThePlaceOfWhatItIsOf) {
    for (const Offsets& offsets : {Offsets{0, 5, 12, 40}, Offsets{0, 9, 18}}) {
        const Example ex({offsets});
        Values expected = ex.forward(true);
        for (double& value : expected) value = std::max(value, 0.0);
        const Tensor y = output({ex.slots, ex.out});
        core::ops::groupedLinearActivationForward(backend(), y, y, tensor({ex.slots, ex.in}, ex.x),
                                                  tensor({ex.experts, ex.out, ex.in}, ex.weight),
                                                  f32({ex.experts, ex.out}, ex.bias), ex.offsets,
                                                  core::Activation::Relu);
        expectClose(y, expected, "y");
    }
}

TEST_P(GroupedLinearOps, RejectsMixtures) {
    const Offsets offsets{0, 4, 9};
    expectRefusal(
        [&] {
            core::ops::groupedLinearForward(backend(), output({9, kOut}), output({9, kIn}),
                                            ofOtherType({2, kOut, kIn}), {}, offsets);
        },
        "[groupedLinearForward] weight is");
    expectRefusal(
        [&] {
            core::ops::groupedLinearActivationForward(
                backend(), output({9, kOut}), ofOtherType({9, kOut}), output({9, kIn}),
                output({2, kOut, kIn}), {}, offsets, core::Activation::Relu);
        },
        "[groupedLinearActivationForward] before is");
    expectRefusal(
        [&] {
            core::ops::groupedLinearActivationBackwardData(
                backend(), output({9, kIn}), output({9, kOut}), output({2, kOut, kIn}),
                output({9, kIn}), Offsets{0, 4, 8}, core::Activation::Relu);
        },
        "offsets do not divide the 9 rows among 2 experts");
}

TEST_P(GroupedLinearOps, RejectsOffsetsThatDoNotFit) {
    const Example ex({{0, 4, 9}});
    const auto forward = [&](const Offsets& offsets) {
        core::ops::groupedLinearForward(backend(), output({9, kOut}), tensor({9, kIn}, ex.x),
                                        tensor({2, kOut, kIn}, ex.weight), {}, offsets);
    };
    EXPECT_THROW(forward({0, 9}), core::CheckFailure);
    EXPECT_THROW(forward({0, 4, 8}), core::CheckFailure);
    EXPECT_THROW(forward({0, 10, 9}), core::CheckFailure);
    EXPECT_THROW(forward({1, 4, 9}), core::CheckFailure);
    EXPECT_NO_THROW(forward({0, 4, 9}));
}

PARITY_SUITE(GroupedLinearOps);

}  // namespace
