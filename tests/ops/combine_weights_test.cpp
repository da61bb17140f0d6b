// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"
#include "tests/ops/parity.h"

namespace {

using core::Assignment;
using core::Tensor;
using parity::Values;

struct Mode {
    bool topKSoftmax;
    bool renormalize;
};

constexpr Mode kModes[] = {{false, false}, {false, true}, {true, false}, {true, true}};

Values softmaxRows(Values x, std::size_t columns) {
    for (std::size_t r = 0; r < x.size(); r += columns) {
        double total = 0.0;
        for (std::size_t c = 0; c < columns; ++c) total += x[r + c] = std::exp(x[r + c]);
        for (std::size_t c = 0; c < columns; ++c) x[r + c] /= total;
    }
    return x;
}

class CombineWeightOps : public parity::OpsTest {
  protected:
    Values forward(const Values& p, const Assignment& a, Mode mode) {
        const Tensor weights = f32Output({a.slots()});
        core::ops::combineWeightsForward(backend(), weights, f32Output({a.tokens}),
                                         f32({a.tokens, a.experts}, p), a, mode.topKSoftmax,
                                         mode.renormalize);
        return read(weights);
    }

    /// By the definitions: p, or p over the sum of the asked-for; then over the sum of the
    /// accepted.
    Values reference(const Values& p, const Assignment& a, Mode mode) {
        const auto token = readInts(a.slotToken);
        const auto expert = readInts(a.slotExpert);
        const auto experts = static_cast<std::size_t>(a.experts);
        const auto at = [&](std::size_t s) {
            return p[static_cast<std::size_t>(token[s]) * experts +
                     static_cast<std::size_t>(expert[s])];
        };
        Values asked(static_cast<std::size_t>(a.tokens), 1.0);
        if (mode.topKSoftmax) {
            const auto choices = readInts(a.askedExperts);
            const std::size_t k = choices.size() / asked.size();
            for (std::size_t t = 0; t < asked.size(); ++t) {
                asked[t] = 0.0;
                for (std::size_t j = 0; j < k; ++j)
                    if (choices[t * k + j] >= 0)
                        asked[t] += p[t * experts + static_cast<std::size_t>(choices[t * k + j])];
            }
        }
        Values weights;
        for (std::size_t s = 0; s < token.size(); ++s)
            weights.push_back(at(s) / asked[static_cast<std::size_t>(token[s])]);
        if (!mode.renormalize) return weights;
        Values sums(static_cast<std::size_t>(a.tokens), 0.0);
        for (std::size_t s = 0; s < token.size(); ++s)
            sums[static_cast<std::size_t>(token[s])] += weights[s];
        for (std::size_t s = 0; s < token.size(); ++s)
            weights[s] /= sums[static_cast<std::size_t>(token[s])];
        return weights;
    }

    /// Top-2 with drops, padding and two groups.
    Assignment droppingTopK(const Values& p, std::int64_t tokens, std::int64_t experts) {
        std::vector<std::uint8_t> real(static_cast<std::size_t>(tokens), 1);
        real[2] = 0;
        const core::RoutingGroups groups{{0, tokens / 2, tokens}, mask(real)};
        return topK(f32({tokens, experts}, p), groups, {2, 0.75, false});
    }
};

TEST_P(CombineWeightOps, PaperExample) {
    // Appendix B.7: (0.3, 0.2, 0.1) -> (0.5, 0.333, 0.1667); a single expert -> 1; a token without
    // experts has no weight.
    const Values p{0.3, 0.2, 0.1, 0.4, 0.01, 0.02, 0.03, 0.94, 0.25, 0.25, 0.25, 0.25};
    const Assignment a =
        assignment(3, std::vector<std::vector<std::int32_t>>{{0}, {0}, {0, 1}, {}});
    const Tensor weights = f32Output({a.slots()});
    const Tensor sums = f32Output({3});
    core::ops::combineWeightsForward(backend(), weights, sums, f32({3, 4}, p), a, false, true);
    expectClose(weights, {0.5, 1.0 / 3.0, 1.0 / 6.0, 1.0}, "weights");
    EXPECT_EQ(read(weights)[3], 1.0);
    expectClose(sums, {0.6, 0.03, 1.0}, "sums");
    EXPECT_EQ(a.slots(), 4);  // token 2 is in no slot: its combined output is zero (moe.h)
}

TEST_P(CombineWeightOps, FollowsTheDefinitions) {
    const Values p = softmaxRows(parity::randomValues(10 * 5, 1), 5);
    const Assignment a = droppingTopK(p, 10, 5);
    ASSERT_LT(a.slots(), 18) << "the example should drop something";
    for (const Mode mode : kModes) {
        const Tensor weights = f32Output({a.slots()});
        core::ops::combineWeightsForward(backend(), weights, f32Output({10}), f32({10, 5}, p), a,
                                         mode.topKSoftmax, mode.renormalize);
        expectClose(weights, reference(p, a, mode), "weights");
    }
}

TEST_P(CombineWeightOps, ExpertChoiceNeedsNoAskedExperts) {
    const Values p = softmaxRows(parity::randomValues(40 * 4, 1), 4);
    const Assignment a = core::ops::expertChoice(backend(), f32({40, 4}, p), {{0, 40}, {}}, 1.5);
    for (const bool renormalize : {false, true})
        EXPECT_NEAR(
            parity::dot(forward(p, a, {false, renormalize}), forward(p, a, {false, renormalize})),
            parity::dot(reference(p, a, {false, renormalize}),
                        reference(p, a, {false, renormalize})),
            1e-4);
    EXPECT_THROW(forward(p, a, {true, false}), core::CheckFailure);
}

TEST_P(CombineWeightOps, GradientByDifferences) {
    const Values p = softmaxRows(parity::randomValues(10 * 5, 3), 5);
    const Assignment a = droppingTopK(p, 10, 5);
    const Values dWeights = parity::randomValues(a.slots(), 4);
    const Values before = parity::randomValues(50, 5);
    for (const Mode mode : kModes) {
        const Tensor weights = f32Output({a.slots()});
        const Tensor sums = f32Output({10});
        const Tensor probabilities = f32({10, 5}, p);
        const Tensor dProbabilities = f32({10, 5}, before);
        core::ops::combineWeightsForward(backend(), weights, sums, probabilities, a,
                                         mode.topKSoftmax, mode.renormalize);
        core::ops::combineWeightsBackward(backend(), dProbabilities, f32({a.slots()}, dWeights),
                                          weights, sums, probabilities, a, mode.topKSoftmax,
                                          mode.renormalize);
        const Values gradient = parity::numericGradient(
            [&](const Values& v) { return parity::dot(dWeights, reference(v, a, mode)); }, p, 1e-5);
        expectClose(dProbabilities, parity::plus(before, gradient), "dProbabilities, accumulated");
    }
}

TEST_P(CombineWeightOps, ASumOfZeroGivesZeroNotNan) {
    const Assignment a = assignment(1, std::vector<std::vector<std::int32_t>>{{}, {0}});
    EXPECT_EQ(forward({1.0, 0.0}, a, {false, true}), (Values{0.0}));
}

TEST_P(CombineWeightOps, ASingleExpertOfTinyProbabilitySendsZeroNotNan) {
    // Expert Choice fills every expert: one that the router has given up on takes tokens whose
    // probability for it has no reciprocal in f32.
    const Assignment a = assignment(1, std::vector<std::vector<std::int32_t>>{{}, {0}});
    const Tensor probabilities = f32({1, 2}, {1.0, 1e-40});
    const Tensor weights = f32Output({1});
    const Tensor sums = f32Output({1});
    const Tensor dProbabilities = f32({1, 2}, {3.0, 4.0});
    core::ops::combineWeightsForward(backend(), weights, sums, probabilities, a, false, true);
    EXPECT_EQ(read(weights)[0], 1.0);
    core::ops::combineWeightsBackward(backend(), dProbabilities, f32({1}, {0.7}), weights, sums,
                                      probabilities, a, false, true);
    EXPECT_EQ(read(dProbabilities), (Values{3.0, 4.0}));
}

TEST_P(CombineWeightOps, RejectsOtherShapes) {
    const Assignment a = assignment(2, std::vector<std::vector<std::int32_t>>{{0}, {1}});
    EXPECT_THROW(core::ops::combineWeightsForward(backend(), f32Output({3}), f32Output({2}),
                                                  f32Output({2, 2}), a, false, true),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::combineWeightsForward(backend(), f32Output({2}), f32Output({2}),
                                                  f32Output({2, 3}), a, false, true),
                 core::CheckFailure);
}

PARITY_SUITE(CombineWeightOps);

}  // namespace
