// SPDX-License-Identifier: Apache-2.0
#include "core/model/router_stats.h"

#include "core/cpu/cpu_backend.h"
#include "core/ops/routing.h"

#include <gtest/gtest.h>

#include <cmath>

namespace core::test {
namespace {

class RouterStatistics : public testing::Test {
  protected:
    RouterObservation observe(const std::vector<float>& probabilities, std::int64_t experts, int k,
                              double capacity, const std::vector<std::uint8_t>& mask = {}) {
        RouterObservation o;
        o.block = "encoder.1";
        const auto tokens = static_cast<std::int64_t>(probabilities.size()) / experts;
        o.probabilities = Tensor::of<float>({tokens, experts}, probabilities);
        if (!mask.empty()) o.mask = Tensor::of<std::uint8_t>({tokens}, mask);
        const RoutingGroups groups{{0, tokens}, o.mask};
        o.assignment = k == 0 ? ops::expertChoice(*backend_, o.probabilities, groups, capacity)
                              : ops::topK(*backend_, o.probabilities, groups, {k, capacity, false});
        o.weights = Tensor::host({o.assignment.slots()});
        const Tensor sums = Tensor::host({tokens});
        ops::combineWeightsForward(*backend_, o.weights, sums, o.probabilities, o.assignment, false,
                                   false);
        return o;
    }
    std::shared_ptr<Backend> backend_ = makeCpuBackend(1);
};

TEST_F(RouterStatistics, TopKByHand) {
    // Four tokens, two experts, top-1, capacity ceil(1 * 4 / 2) = 2: three ask expert 0, one of
    // them is dropped; expert 1 gets one.
    const std::vector<float> p{0.9F, 0.1F, 0.8F, 0.2F, 0.3F, 0.7F, 0.6F, 0.4F};
    RouterStatsAccumulator accumulator;
    EXPECT_TRUE(accumulator.stats().empty());
    accumulator.add(observe(p, 2, 1, 1.0), *backend_);
    const RouterStats stats = accumulator.stats().at(0);
    EXPECT_EQ(stats.block, "encoder.1");
    EXPECT_NEAR(stats.load[0], 2 / 1.5, 1e-12);
    EXPECT_NEAR(stats.load[1], 1 / 1.5, 1e-12);
    EXPECT_NEAR(stats.cv, 1.0 / 3.0, 1e-12);
    EXPECT_EQ(stats.unrouted, 0.25);
    EXPECT_EQ(stats.dropped, 0.25);
    EXPECT_NEAR(stats.combineSum, (0.9 + 0.8 + 0.7) / 4, 1e-6);
    double entropy = 0;
    for (const float value : p)
        entropy -= static_cast<double>(value) * std::log(static_cast<double>(value));
    EXPECT_NEAR(stats.entropy, entropy / 4 / std::log(2.0), 1e-6);
}

TEST_F(RouterStatistics, BatchesAddUpByTheirTokens) {
    RouterStatsAccumulator accumulator;
    accumulator.add(observe({0.9F, 0.1F}, 2, 1, 2.0), *backend_);
    accumulator.add(observe({0.1F, 0.9F, 0.2F, 0.8F, 0.3F, 0.7F}, 2, 1, 2.0), *backend_);
    const RouterStats stats = accumulator.stats().at(0);
    EXPECT_DOUBLE_EQ(stats.load[0], 0.5);
    EXPECT_DOUBLE_EQ(stats.load[1], 1.5);
    EXPECT_DOUBLE_EQ(stats.cv, 0.5);
    EXPECT_NEAR(stats.combineSum, (0.9 + 0.9 + 0.8 + 0.7) / 4, 1e-6);
    accumulator.clear();
    EXPECT_TRUE(accumulator.stats().empty());
}

TEST_F(RouterStatistics, ExpertChoiceIsEvenAndDropsNothing) {
    const RouterObservation o =
        observe({0.5F, 0.3F, 0.2F, 0.5F, 0.3F, 0.2F, 0.2F, 0.2F, 0.6F}, 3, 0, 1.0);
    RouterStatsAccumulator accumulator;
    accumulator.add(o, *backend_);
    const RouterStats stats = accumulator.stats().at(0);
    EXPECT_EQ(stats.load, (std::vector<double>{1, 1, 1}));
    EXPECT_EQ(stats.cv, 0);
    EXPECT_EQ(stats.dropped, 0);
    EXPECT_NEAR(stats.unrouted, 1.0 / 3.0, 1e-12);  // experts 0 and 1 both take token 0
    const Tensor dense = denseCombineWeights(o, *backend_);
    const std::vector<float> expected{0.5F, 0.3F, 0, 0, 0, 0, 0, 0, 0.6F};
    EXPECT_EQ(std::vector<float>(dense.span<float>().begin(), dense.span<float>().end()), expected);
}

TEST_F(RouterStatistics, PaddingDoesNotCount) {
    RouterStatsAccumulator accumulator;
    accumulator.add(observe({0.9F, 0.1F, 0.5F, 0.5F, 0.9F, 0.1F}, 2, 1, 2.0, {1, 0, 1}), *backend_);
    const RouterStats stats = accumulator.stats().at(0);
    EXPECT_EQ(stats.unrouted, 0);
    EXPECT_NEAR(stats.combineSum, 0.9, 1e-6);
    EXPECT_LT(stats.entropy, 0.5) << "the undecided row is padding";
}

TEST_F(RouterStatistics, AnUndecidedRouterHasEntropyOneAndOneExpertHasNone) {
    RouterStatsAccumulator accumulator;
    accumulator.add(observe({0.25F, 0.25F, 0.25F, 0.25F}, 4, 1, 4.0), *backend_);
    EXPECT_NEAR(accumulator.stats().at(0).entropy, 1.0, 1e-6);
    accumulator.clear();
    accumulator.add(observe({1.0F, 1.0F}, 1, 1, 1.0), *backend_);
    EXPECT_EQ(accumulator.stats().at(0).entropy, 0.0);
}

}  // namespace
}  // namespace core::test
