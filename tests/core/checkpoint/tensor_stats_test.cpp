// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/tensor_stats.h"

#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace core::test {
namespace {

TensorStats statsOf(const std::vector<float>& values) {
    const TemporaryFolder folder;
    writeCheckpoint(folder / "x.safetensors",
                    {{"t", {static_cast<std::int64_t>(values.size())}, values}});
    const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
    const std::atomic<bool> cancel{false};
    return computeStats(*checkpoint, checkpoint->tensors()[0], cancel);
}

TEST(TensorStats, AgreeWithADirectComputation) {
    std::vector<float> values(700'001);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = 1000.0F + std::sin(static_cast<float>(i));
    const TensorStats stats = statsOf(values);
    double mean = 0;
    for (const float value : values) mean += static_cast<double>(value);
    mean /= static_cast<double>(values.size());
    double variance = 0;
    for (const float value : values) variance += std::pow(static_cast<double>(value) - mean, 2);
    variance /= static_cast<double>(values.size());
    EXPECT_EQ(stats.count, values.size());
    EXPECT_EQ(stats.nonFinite, 0U);
    EXPECT_NEAR(stats.mean, mean, 1e-9);
    EXPECT_NEAR(stats.std, std::sqrt(variance), 1e-9);
    EXPECT_EQ(stats.min, static_cast<double>(*std::min_element(values.begin(), values.end())));
    EXPECT_EQ(stats.max, static_cast<double>(*std::max_element(values.begin(), values.end())));
    EXPECT_EQ(std::accumulate(stats.histogram.begin(), stats.histogram.end(), std::uint64_t{0}),
              values.size());
}

TEST(TensorStats, HistogramBinsAreEqual) {
    std::vector<float> values(640);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 65);
    const TensorStats stats = statsOf(values);
    EXPECT_EQ(stats.histogram.front(), 10U);
    EXPECT_EQ(stats.histogram[32], 10U);
    EXPECT_EQ(stats.histogram.back(), 18U);  // 63 and the maximum 64
}

TEST(TensorStats, NonFiniteValuesAreCountedApart) {
    const float infinity = std::numeric_limits<float>::infinity();
    const TensorStats stats = statsOf({infinity, std::nanf(""), 0, -0.0F, 1, 3, -infinity});
    EXPECT_EQ(stats.count, 7U);
    EXPECT_EQ(stats.nonFinite, 3U);
    EXPECT_EQ(stats.zeros, 2U);
    EXPECT_EQ(stats.min, 0);
    EXPECT_EQ(stats.max, 3);
    EXPECT_EQ(stats.mean, 1);
    EXPECT_DOUBLE_EQ(stats.std, std::sqrt(1.5));
}

TEST(TensorStats, NothingFiniteAndNothingAtAll) {
    const TensorStats nan = statsOf({std::nanf(""), std::nanf("")});
    EXPECT_EQ(nan.nonFinite, 2U);
    EXPECT_EQ(nan.mean, 0);
    const TensorStats none = statsOf({});
    EXPECT_EQ(none.count, 0U);
    const TensorStats constant = statsOf({2, 2, 2});
    EXPECT_EQ(constant.std, 0);
    EXPECT_EQ(constant.histogram[0], 3U);
}

TEST(TensorStats, CancelReturnsEarly) {
    const TemporaryFolder folder;
    writeCheckpoint(folder / "x.safetensors", {{"t", {4}, {1, 2, 3, 4}}});
    const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
    const std::atomic<bool> cancel{true};
    EXPECT_EQ(computeStats(*checkpoint, checkpoint->tensors()[0], cancel).count, 0U);
}

}  // namespace
}  // namespace core::test
