// SPDX-License-Identifier: Apache-2.0
#include "core/training/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace core {
namespace {

TEST(Schedule, NamesRoundTrip) {
    for (const ScheduleKind kind :
         {ScheduleKind::Constant, ScheduleKind::Rsqrt, ScheduleKind::Cosine, ScheduleKind::Linear})
        EXPECT_EQ(scheduleFromName(scheduleName(kind)), kind);
    EXPECT_FALSE(scheduleFromName("exponential").has_value());
}

TEST(Schedule, ConstantWithWarmupAndCooldown) {
    const ScheduleSpec spec{.lr = 0.5, .warmup = 10, .cooldown = 20};
    EXPECT_DOUBLE_EQ(learningRate(spec, 0, 100), 0.0);
    EXPECT_DOUBLE_EQ(learningRate(spec, 5, 100), 0.25);
    EXPECT_DOUBLE_EQ(learningRate(spec, 10, 100), 0.5);
    EXPECT_DOUBLE_EQ(learningRate(spec, 80, 100), 0.5);
    EXPECT_DOUBLE_EQ(learningRate(spec, 90, 100), 0.25);
    EXPECT_DOUBLE_EQ(learningRate(spec, 99, 100), 0.025);
}

TEST(Schedule, RsqrtIsThatOfT5x) {
    const ScheduleSpec spec{.kind = ScheduleKind::Rsqrt, .lr = 0.01, .timescale = 10000};
    for (const std::int64_t step : {0, 1, 9999, 10000, 40000, 1000000})  // 1 / sqrt(max(t, 10^4))
        EXPECT_DOUBLE_EQ(learningRate(spec, step, 2000000),
                         1.0 / std::sqrt(std::max(static_cast<double>(step), 10000.0)));
}

TEST(Schedule, AContinuedRsqrtRunHasNoJump) {
    const ScheduleSpec whole{.kind = ScheduleKind::Rsqrt, .lr = 2e-3, .timescale = 500};
    ScheduleSpec continued = whole;
    continued.startStep = 4690;
    for (const std::int64_t step : {0, 1, 100, 300})
        EXPECT_DOUBLE_EQ(learningRate(continued, step, 301),
                         learningRate(whole, 4690 + step, 100000));
    EXPECT_LT(learningRate(whole, 4689, 100000) - learningRate(continued, 0, 300), 1e-7);
}

TEST(Schedule, WithoutCooldownARateDoesNotEndWithTheRun) {
    const ScheduleSpec spec{.kind = ScheduleKind::Rsqrt, .lr = 2e-3, .timescale = 400};
    EXPECT_DOUBLE_EQ(learningRate(spec, 1600, 1000), 1e-3);
    EXPECT_DOUBLE_EQ(learningRate({.lr = 0.5}, 101, 100), 0.5);
}

TEST(Schedule, CosineAndLinearGoFromPeakToTheFinalFraction) {
    ScheduleSpec spec{.kind = ScheduleKind::Cosine, .lr = 1.0, .warmup = 100, .finalFraction = 0.1};
    EXPECT_DOUBLE_EQ(learningRate(spec, 50, 1100), 0.5);
    EXPECT_DOUBLE_EQ(learningRate(spec, 100, 1100), 1.0);
    EXPECT_DOUBLE_EQ(learningRate(spec, 600, 1100), 0.55);
    EXPECT_NEAR(learningRate(spec, 350, 1100), 0.1 + 0.9 * 0.5 * (1 + std::sqrt(0.5)), 1e-12);
    EXPECT_DOUBLE_EQ(learningRate(spec, 1100, 1100), 0.1);
    spec.kind = ScheduleKind::Linear;
    EXPECT_DOUBLE_EQ(learningRate(spec, 100, 1100), 1.0);
    EXPECT_DOUBLE_EQ(learningRate(spec, 600, 1100), 0.55);
    EXPECT_DOUBLE_EQ(learningRate(spec, 1100, 1100), 0.1);
}

TEST(Schedule, IsNeverNegativeNorInfiniteAtTheEdges) {
    for (const ScheduleKind kind : {ScheduleKind::Constant, ScheduleKind::Rsqrt,
                                    ScheduleKind::Cosine, ScheduleKind::Linear}) {
        const ScheduleSpec spec{
            .kind = kind, .lr = 1.0, .warmup = 50, .cooldown = 50, .timescale = 0};
        for (std::int64_t step = 0; step <= 12; ++step) {
            const double lr = learningRate(spec, step, 10);
            EXPECT_TRUE(lr >= 0 && lr <= 1) << scheduleName(kind) << " " << step << " " << lr;
        }
    }
}

}  // namespace
}  // namespace core
