// SPDX-License-Identifier: Apache-2.0
#include "core/ops/grouped_linear.h"

#include "tests/ops/activation_reference.h"
#include "tests/ops/parity.h"

namespace {

using core::Tensor;
using parity::Values;
using Offsets = std::vector<std::int64_t>;

constexpr std::int64_t kIn = 13;
constexpr std::int64_t kOut = 21;

/// Uneven, an empty first, middle and last expert, all rows on one expert, single rows, nothing at
/// all.
const std::vector<Offsets> kOffsets{{0, 5, 12, 40}, {0, 0, 7, 7, 9, 9}, {0, 0, 50, 50},
                                    {0, 1, 2, 3},   {0, 300, 301, 640}, {0, 17},
                                    {0, 0, 0}};

struct Example {
    explicit Example(const Offsets& groups)
        : offsets(groups),
          experts(static_cast<std::int64_t>(groups.size()) - 1),
          slots(groups.back()),
          x(parity::randomValues(slots * kIn, 1)),
          weight(parity::randomValues(experts * kOut * kIn, 2)),
          bias(parity::randomValues(experts * kOut, 3)),
          dy(parity::randomValues(slots * kOut, 4)) {}

    std::int64_t expertOf(std::int64_t slot) const {
        std::int64_t e = 0;
        while (offsets[static_cast<std::size_t>(e) + 1] <= slot) ++e;
        return e;
    }

    Values forward(bool withBias) const {
        Values y;
        for (std::int64_t s = 0; s < slots; ++s)
            for (std::int64_t o = 0; o < kOut; ++o) {
                const std::int64_t row = expertOf(s) * kOut + o;
                double total = withBias ? bias[static_cast<std::size_t>(row)] : 0.0;
                for (std::int64_t i = 0; i < kIn; ++i)
                    total += x[static_cast<std::size_t>(s * kIn + i)] *
                             weight[static_cast<std::size_t>(row * kIn + i)];
                y.push_back(total);
            }
        return y;
    }

    Offsets offsets;
    std::int64_t experts;
    std::int64_t slots;
    Values x;
    Values weight;
    Values bias;
    Values dy;
};

class GroupedLinearOps : public parity::OpsTest {};

TEST_P(GroupedLinearOps, Forward) {
    for (const Offsets& offsets : kOffsets) {
        const Example ex(offsets);
        for (const bool withBias : {false, true}) {
            const Tensor y = output({ex.slots, kOut});
            core::ops::groupedLinearForward(backend(), y, tensor({ex.slots, kIn}, ex.x),
                                            tensor({ex.experts, kOut, kIn}, ex.weight),
                                            withBias ? f32({ex.experts, kOut}, ex.bias) : Tensor(),
                                            ex.offsets);
            expectClose(y, ex.forward(withBias), "y");
        }
    }
}

TEST_P(GroupedLinearOps, BackwardAccumulatesPerExpert) {
    for (const Offsets& offsets : kOffsets) {
        const Example ex(offsets);
        Values dx(ex.x.size(), 0.0);
        Values dWeight = parity::randomValues(ex.experts * kOut * kIn, 5);
        Values dBias = parity::randomValues(ex.experts * kOut, 6);
        const Tensor deviceDWeight = f32({ex.experts, kOut, kIn}, dWeight);
        const Tensor deviceDBias = f32({ex.experts, kOut}, dBias);
        for (std::int64_t s = 0; s < ex.slots; ++s)
            for (std::int64_t o = 0; o < kOut; ++o) {
                const double slope = ex.dy[static_cast<std::size_t>(s * kOut + o)];
                const std::int64_t row = ex.expertOf(s) * kOut + o;
                dBias[static_cast<std::size_t>(row)] += slope;
                for (std::int64_t i = 0; i < kIn; ++i) {
                    const auto at = static_cast<std::size_t>(row * kIn + i);
                    dx[static_cast<std::size_t>(s * kIn + i)] += slope * ex.weight[at];
                    dWeight[at] += slope * ex.x[static_cast<std::size_t>(s * kIn + i)];
                }
            }
        const Tensor deviceDx = output({ex.slots, kIn});
        const Tensor dy = tensor({ex.slots, kOut}, ex.dy);
        core::ops::groupedLinearBackwardData(
            backend(), deviceDx, dy, tensor({ex.experts, kOut, kIn}, ex.weight), ex.offsets);
        core::ops::groupedLinearBackwardWeight(backend(), deviceDWeight, deviceDBias, dy,
                                               tensor({ex.slots, kIn}, ex.x), ex.offsets);
        expectClose(deviceDx, dx, "dx");
        expectClose(deviceDWeight, dWeight, "dWeight");
        expectClose(deviceDBias, dBias, "dBias");
    }
}

TEST_P(GroupedLinearOps, GradientByDifferences) {
    Example ex({0, 2, 2, 5});
    const Tensor dx = output({ex.slots, kIn});
    const Tensor dWeight = f32({ex.experts, kOut, kIn}, Values(ex.weight.size(), 0.0));
    const Tensor dy = tensor({ex.slots, kOut}, ex.dy);
    core::ops::groupedLinearBackwardData(backend(), dx, dy,
                                         tensor({ex.experts, kOut, kIn}, ex.weight), ex.offsets);
    core::ops::groupedLinearBackwardWeight(backend(), dWeight, {}, dy,
                                           tensor({ex.slots, kIn}, ex.x), ex.offsets);
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
        for (const Offsets& offsets : kOffsets)
            for (const bool withBias : {false, true}) {
                const Example ex(offsets);
                const Values before = ex.forward(withBias);
                Values y;
                for (const double value : before) y.push_back(parity::activation(value, kind));
                const Tensor deviceY = output({ex.slots, kOut});
                const Tensor deviceBefore = output({ex.slots, kOut});
                core::ops::groupedLinearActivationForward(
                    backend(), deviceY, deviceBefore, tensor({ex.slots, kIn}, ex.x),
                    tensor({ex.experts, kOut, kIn}, ex.weight),
                    withBias ? f32({ex.experts, kOut}, ex.bias) : Tensor(), ex.offsets, kind);
                expectClose(deviceBefore, before, "before");
                expectClose(deviceY, y, "y", 2.0);  // of `before`, which may be rounded
            }
}

TEST_P(GroupedLinearOps, BackThroughTheActivationBeforeTheLayers) {
    for (const core::Activation kind : parity::kActivations)
        for (const Offsets& offsets : kOffsets) {
            const Example ex(offsets);
            const Values before = parity::activationArguments(ex.slots * kIn, 5, 1.0);
            Values expected(before.size(), 0.0);
            for (std::size_t i = 0; i < before.size(); ++i) {
                const auto slot = static_cast<std::int64_t>(i) / kIn;
                const std::int64_t column = static_cast<std::int64_t>(i) % kIn;
                for (std::int64_t o = 0; o < kOut; ++o)
                    expected[i] += ex.dy[static_cast<std::size_t>(slot * kOut + o)] *
                                   ex.weight[static_cast<std::size_t>(
                                       (ex.expertOf(slot) * kOut + o) * kIn + column)];
                expected[i] *= parity::activationSlope(before[i], kind);
            }
            const Tensor dBefore = output({ex.slots, kIn});
            core::ops::groupedLinearActivationBackwardData(
                backend(), dBefore, tensor({ex.slots, kOut}, ex.dy),
                tensor({ex.experts, kOut, kIn}, ex.weight), tensor({ex.slots, kIn}, before),
                ex.offsets, kind);
            expectClose(dBefore, expected, "dBefore", 2.0);  // dy weight may be rounded too
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
    const Example ex({0, 4, 9});
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
