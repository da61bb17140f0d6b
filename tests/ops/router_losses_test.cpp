// SPDX-License-Identifier: Apache-2.0
#include "core/ops/routing.h"
#include "tests/ops/parity.h"

#include <algorithm>

namespace {

using core::Assignment;
using core::RoutingGroups;
using core::Tensor;
using parity::Values;

constexpr std::int64_t kTokens = 23;
constexpr std::int64_t kExperts = 5;
const std::vector<std::int64_t> kBegins{0, 9, 9, 20, 23};

std::vector<std::uint8_t> someMask() {
    std::vector<std::uint8_t> real(kTokens, 1);
    for (const std::size_t t : {0U, 4U, 5U, 20U, 21U, 22U})
        real[t] = 0;  // the last group is padding alone
    return real;
}

/// mean over the groups with tokens of E sum_e f_e P_e
double balance(const Values& p, const Values& requested, const std::vector<std::uint8_t>& real) {
    double loss = 0.0;
    int groups = 0;
    for (std::size_t g = 0; g + 1 < kBegins.size(); ++g) {
        Values mean(kExperts, 0.0);
        double count = 0.0;
        for (std::int64_t t = kBegins[g]; t < kBegins[g + 1]; ++t) {
            if (real[static_cast<std::size_t>(t)] == 0) continue;
            count += 1.0;
            for (std::size_t e = 0; e < kExperts; ++e)
                mean[e] += p[static_cast<std::size_t>(t * kExperts) + e];
        }
        if (count == 0.0) continue;
        ++groups;
        double asked = 0.0;
        for (std::size_t e = 0; e < kExperts; ++e) asked += requested[g * kExperts + e];
        for (std::size_t e = 0; e < kExperts; ++e)
            loss += static_cast<double>(kExperts) * requested[g * kExperts + e] / asked * mean[e] /
                    count;
    }
    return loss / groups;
}

double zLoss(const Values& logits, const std::vector<std::uint8_t>& real) {
    double total = 0.0;
    double count = 0.0;
    for (std::size_t t = 0; t < static_cast<std::size_t>(kTokens); ++t) {
        if (real[t] == 0) continue;
        double sum = 0.0;
        for (std::size_t e = 0; e < kExperts; ++e) sum += std::exp(logits[t * kExperts + e]);
        total += std::log(sum) * std::log(sum);
        count += 1.0;
    }
    return count == 0.0 ? 0.0 : total / count;
}

class RouterLossOps : public parity::OpsTest {
  protected:
    double balanceLossForward(const Tensor& probabilities, const core::RoutingGroups& groups,
                              const core::Assignment& assignment) {
        return number([&](core::Out loss) {
            core::ops::balanceLossForward(backend(), loss, probabilities, groups, assignment);
        });
    }
    double zLossForward(const Tensor& logits, const Tensor& mask) {
        return number(
            [&](core::Out loss) { core::ops::zLossForward(backend(), loss, logits, mask); });
    }
};

TEST_P(RouterLossOps, BalanceLossAndGradient) {
    const auto real = someMask();
    const RoutingGroups groups{kBegins, mask(real)};
    const Values p = parity::randomValues(kTokens * kExperts, 1);
    const Assignment a = topK(f32({kTokens, kExperts}, p), groups, {2, 0.5, false});
    const Values requested = read(a.groupRequested);
    const double expected = balance(p, requested, real);
    EXPECT_NEAR(balanceLossForward(f32({kTokens, kExperts}, p), groups, a), expected,
                1e-6 * std::abs(expected));

    const Values before = parity::randomValues(kTokens * kExperts, 2, 0.01);
    const Tensor dProbabilities = f32({kTokens, kExperts}, before);
    core::ops::balanceLossBackward(backend(), dProbabilities, groups, a, 0.5F);
    const Values gradient = parity::numericGradient(
        [&](const Values& v) { return 0.5 * balance(v, requested, real); }, p);
    expectClose(dProbabilities, parity::plus(before, gradient), "dProbabilities, accumulated");
}

TEST_P(RouterLossOps, BalanceIsOneWhenEvenAndExpertsWhenCollapsed) {
    const RoutingGroups groups{{0, 4}, {}};
    const Tensor even = f32({4, 4}, Values(16, 0.25));
    Values turns(16, 0.0);
    for (std::size_t t = 0; t < 4; ++t) turns[t * 4 + t] = 1.0;
    const Assignment balanced = topK(f32({4, 4}, turns), groups, {1, 1.0, false});
    EXPECT_NEAR(balanceLossForward(even, groups, balanced), 1.0, 1e-6);
    Values collapsed(16, 0.0);
    for (std::size_t t = 0; t < 4; ++t) collapsed[t * 4 + 2] = 1.0;
    // Dropped assignments count: f is what was asked for.
    const Assignment full = topK(f32({4, 4}, collapsed), groups, {1, 1.0, false});
    EXPECT_EQ(full.slots(), 1);
    EXPECT_NEAR(balanceLossForward(f32({4, 4}, collapsed), groups, full), 4.0, 1e-6);
}

TEST_P(RouterLossOps, ZLossAndGradient) {
    const Values logits = parity::randomValues(kTokens * kExperts, 3, 2.0);
    for (const bool masked : {false, true}) {
        const auto real = masked ? someMask() : std::vector<std::uint8_t>(kTokens, 1);
        const Tensor deviceMask = masked ? mask(real) : Tensor();
        const double expected = zLoss(logits, real);
        EXPECT_NEAR(zLossForward(f32({kTokens, kExperts}, logits), deviceMask), expected,
                    1e-6 * expected);
        const Values before = parity::randomValues(kTokens * kExperts, 4, 0.1);
        const Tensor dLogits = f32({kTokens, kExperts}, before);
        core::ops::zLossBackward(backend(), dLogits, f32({kTokens, kExperts}, logits), deviceMask,
                                 0.25F);
        const Values gradient =
            parity::numericGradient([&](const Values& v) { return 0.25 * zLoss(v, real); }, logits);
        expectClose(dLogits, parity::plus(before, gradient), "dLogits, accumulated");
    }
}

TEST_P(RouterLossOps, ZLossOfZeroLogits) {
    const Tensor logits = f32({3, 32}, Values(96, 0.0));
    EXPECT_NEAR(zLossForward(logits, {}), std::log(32.0) * std::log(32.0), 1e-5);
}

TEST_P(RouterLossOps, NoRealTokenIsNoLoss) {
    const Tensor nobody = mask({0, 0});
    const Tensor dLogits = f32({2, 3}, Values(6, 1.0));
    EXPECT_EQ(zLossForward(f32({2, 3}, Values(6, 1.0)), nobody), 0.0);
    core::ops::zLossBackward(backend(), dLogits, f32({2, 3}, Values(6, 1.0)), nobody, 1.0F);
    EXPECT_EQ(read(dLogits), Values(6, 1.0));
    const RoutingGroups groups{{0, 2}, nobody};
    const Tensor p = f32({2, 3}, Values(6, 0.3));
    const Assignment a = topK(p, groups, {1, 1.0, false});
    EXPECT_EQ(balanceLossForward(p, groups, a), 0.0);
}

TEST_P(RouterLossOps, ExpertChoiceHasNoBalanceLoss) {
    const RoutingGroups groups{{0, 4}, {}};
    const Tensor p = f32({4, 2}, Values(8, 0.5));
    const Assignment a = core::ops::expertChoice(backend(), p, groups, 1.0);
    EXPECT_THROW(balanceLossForward(p, groups, a), core::CheckFailure);
}

PARITY_SUITE(RouterLossOps);

}  // namespace
