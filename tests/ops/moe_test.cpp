// SPDX-License-Identifier: Apache-2.0
#include "core/ops/moe.h"

#include "tests/ops/parity.h"

namespace {

using core::Assignment;
using core::Tensor;
using parity::Values;
using Lists = std::vector<std::vector<std::int32_t>>;

struct Case {
    std::int64_t tokens;
    Lists accepted;
};

/// Mixed; an expert without a token; all on one expert; one token at all experts; nobody routed;
/// single token.
const std::vector<Case> kCases{
    {5, {{4, 0, 2}, {0, 1}, {2, 0}}}, {3, {{0, 1}, {}, {2}}}, {4, {{}, {3, 1, 0, 2}}},
    {2, {{1}, {1}, {1}, {1}}},        {3, {{}, {}}},          {1, {{0}}}};

struct Example {
    Example(const Case& c, Assignment made, std::int64_t columns)
        : assignment(std::move(made)), width(columns) {
        for (const auto& list : c.accepted) token.insert(token.end(), list.begin(), list.end());
        slots = parity::randomValues(assignment.slots() * width, 1);
        x = parity::randomValues(c.tokens * width, 2);
        weights = parity::randomValues(assignment.slots(), 3);
    }

    Values combine() const {
        Values y(x.size(), 0.0);
        for (std::size_t s = 0; s < token.size(); ++s)
            for (std::int64_t d = 0; d < width; ++d)
                y[static_cast<std::size_t>(token[s] * width + d)] +=
                    weights[s] *
                    slots[s * static_cast<std::size_t>(width) + static_cast<std::size_t>(d)];
        return y;
    }

    Assignment assignment;
    std::int64_t width;
    std::vector<std::int32_t> token;
    Values slots;
    Values x;
    Values weights;
};

class MoeOps : public parity::OpsTest {
  protected:
    Example example(const Case& c, std::int64_t width) {
        return {c, assignment(c.tokens, c.accepted), width};
    }
    Tensor slotRows(const Example& ex, const Values& values) {
        return tensor({ex.assignment.slots(), ex.width}, values);
    }
    Tensor tokenRows(const Example& ex, const Values& values) {
        return tensor({ex.assignment.tokens, ex.width}, values);
    }
};

TEST_P(MoeOps, AssignmentTablesAgree) {
    const Example ex = example(kCases[0], 1);
    const Assignment& a = ex.assignment;
    EXPECT_EQ(a.offsets, (std::vector<std::int64_t>{0, 3, 5, 7}));
    EXPECT_EQ(readInts(a.slotToken), (std::vector<std::int64_t>{4, 0, 2, 0, 1, 2, 0}));
    EXPECT_EQ(readInts(a.slotExpert), (std::vector<std::int64_t>{0, 0, 0, 1, 1, 2, 2}));
    EXPECT_EQ(readInts(a.tokenOffsets), (std::vector<std::int64_t>{0, 3, 4, 6, 6, 7}));
    EXPECT_EQ(readInts(a.tokenSlots), (std::vector<std::int64_t>{1, 3, 6, 4, 2, 5, 0}));
}

TEST_P(MoeOps, DispatchGathersRows) {
    for (const Case& c : kCases)
        for (const std::int64_t width : {1, 7, 96}) {
            const Example ex = example(c, width);
            Values expected;
            for (const std::int32_t t : ex.token)
                expected.insert(expected.end(), ex.x.begin() + t * width,
                                ex.x.begin() + (t + 1) * width);
            const Tensor slots = output({ex.assignment.slots(), width});
            core::ops::dispatchForward(backend(), slots, tokenRows(ex, ex.x), ex.assignment);
            EXPECT_EQ(read(slots), expected);
        }
}

TEST_P(MoeOps, DispatchBackwardSumsATokensSlots) {
    for (const Case& c : kCases) {
        Example ex = example(c, 19);
        ex.weights.assign(ex.weights.size(), 1.0);
        const Tensor dx = output({c.tokens, 19});
        core::ops::dispatchBackward(backend(), dx, slotRows(ex, ex.slots), ex.assignment);
        expectClose(dx, ex.combine(), "dx");
    }
}

TEST_P(MoeOps, CombineWeighsAndUnroutedTokensAreZero) {
    for (const Case& c : kCases)
        for (const std::int64_t width : {1, 7, 96}) {
            const Example ex = example(c, width);
            const Tensor y = output({c.tokens, width});
            core::ops::combineForward(backend(), y, slotRows(ex, ex.slots),
                                      f32({ex.assignment.slots()}, ex.weights), ex.assignment);
            expectClose(y, ex.combine(), "y");
        }
}

TEST_P(MoeOps, CombineGradientByDifferences) {
    for (const Case& c : kCases) {
        const Example ex = example(c, 5);
        const Values dy = parity::randomValues(c.tokens * 5, 4);
        const Tensor dSlots = output({ex.assignment.slots(), 5});
        const Tensor dWeights = f32Output({ex.assignment.slots()});
        core::ops::combineBackward(backend(), dSlots, dWeights, tokenRows(ex, dy),
                                   slotRows(ex, ex.slots), f32({ex.assignment.slots()}, ex.weights),
                                   ex.assignment);
        const auto gradient = [&](Values Example::*member) {
            return parity::numericGradient(
                [&](const Values& v) {
                    Example moved = ex;
                    moved.*member = v;
                    return parity::dot(dy, moved.combine());
                },
                ex.*member);
        };
        expectClose(dSlots, gradient(&Example::slots), "dSlots");
        expectClose(dWeights, gradient(&Example::weights), "dWeights");
    }
}

TEST_P(MoeOps, RejectsOtherShapes) {
    const Example ex = example(kCases[0], 3);
    EXPECT_THROW(
        core::ops::dispatchForward(backend(), output({7, 3}), output({4, 3}), ex.assignment),
        core::CheckFailure);
    EXPECT_THROW(core::ops::combineForward(backend(), output({5, 3}), output({7, 3}),
                                           f32Output({6}), ex.assignment),
                 core::CheckFailure);
    EXPECT_THROW(
        core::ops::dispatchForward(backend(), output({7, 3}), output({5, 3}), Assignment()),
        core::CheckFailure);
}

PARITY_SUITE(MoeOps);

}  // namespace
