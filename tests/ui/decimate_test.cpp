// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/decimate.h"

#include "core/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace ui {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> upTo(std::size_t n) {
    std::vector<double> x(n);
    std::iota(x.begin(), x.end(), 0.0);
    return x;
}

TEST(Decimate, FewPointsComeThroughUnchanged) {
    const std::vector<double> x{0, 1, 2, 3};
    const std::vector<double> y{5, 4, 6, 1};
    const Polylines lines = decimate(x, y, {0, 3, 100});
    ASSERT_EQ(lines.lines(), 1U);
    const std::vector<Vertex> expected{{0, 5}, {1, 4}, {2, 6}, {3, 1}};
    EXPECT_EQ(lines.vertices, expected);
}

TEST(Decimate, NoExtremeIsEverLost) {
    const std::size_t n = 100'000;
    const std::vector<double> x = upTo(n);
    const core::CounterRandom random(3);
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
        std::vector<double> y(n);
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = static_cast<double>(random.uniform(trial * n + i));
        }
        const std::size_t high = random.below(2 * trial, n);
        const std::size_t low = random.below(2 * trial + 1, n);
        y[high] = 1000;
        y[low] = -1000;
        const Polylines lines = decimate(x, y, {0, static_cast<double>(n - 1), 640});
        EXPECT_LE(lines.vertices.size(), 2U * 640 + 2);
        const auto has = [&](const Vertex& v) {
            return std::find(lines.vertices.begin(), lines.vertices.end(), v) !=
                   lines.vertices.end();
        };
        EXPECT_TRUE(has({static_cast<double>(low), -1000.0})) << trial;
        if (high != low) {
            EXPECT_TRUE(has({static_cast<double>(high), 1000.0})) << trial;
        }
    }
}

TEST(Decimate, EveryColumnKeepsItsOwnRange) {
    const std::size_t n = 6'400;
    const std::vector<double> x = upTo(n);
    std::vector<double> y(n);
    const core::CounterRandom random(5);
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<double>(random.normal(i));
    const Polylines lines = decimate(x, y, {0, static_cast<double>(n), 64});
    for (std::size_t column = 0; column < 64; ++column) {
        const auto first = y.begin() + static_cast<std::ptrdiff_t>(column * 100);
        const auto [low, high] = std::minmax_element(first, first + 100);
        double drawnLow = kInfinity;
        double drawnHigh = -kInfinity;
        for (const Vertex& v : lines.vertices) {
            if (static_cast<std::size_t>(v.x) / 100 != column) continue;
            drawnLow = std::min(drawnLow, v.y);
            drawnHigh = std::max(drawnHigh, v.y);
        }
        EXPECT_EQ(drawnLow, *low) << column;
        EXPECT_EQ(drawnHigh, *high) << column;
    }
}

TEST(Decimate, OrderAlongXIsKept) {
    const std::vector<double> x = upTo(10'000);
    std::vector<double> y(x.size());
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::sin(static_cast<double>(i) * 0.37);
    const Polylines lines = decimate(x, y, {0, 9'999, 50});
    EXPECT_TRUE(std::is_sorted(lines.vertices.begin(), lines.vertices.end(),
                               [](const Vertex& a, const Vertex& b) { return a.x < b.x; }));
}

TEST(Decimate, NotFiniteValuesBreakTheLine) {
    const std::vector<double> x = upTo(7);
    const std::vector<double> y{1, 2, kNan, 4, kInfinity, -kInfinity, 7};
    const Polylines lines = decimate(x, y, {0, 6, 100});
    ASSERT_EQ(lines.lines(), 3U);
    EXPECT_EQ(lines.line(0).size(), 2U);
    EXPECT_EQ(lines.line(1)[0], (Vertex{3, 4}));
    EXPECT_EQ(lines.line(2)[0], (Vertex{6, 7}));
}

TEST(Decimate, WideGapIsAGapAlsoWhenDecimated) {
    const std::size_t n = 100'000;
    const std::vector<double> x = upTo(n);
    std::vector<double> y(n, 1.0);
    for (std::size_t i = 40'000; i < 60'000; ++i) y[i] = kNan;
    const Polylines lines = decimate(x, y, {0, static_cast<double>(n - 1), 200});
    ASSERT_EQ(lines.lines(), 2U);
    EXPECT_LT(lines.line(0).back().x, 40'000);
    EXPECT_GE(lines.line(1).front().x, 60'000);
}

TEST(Decimate, SingleNotFiniteValueAmongManyHidesNothing) {
    const std::size_t n = 100'000;
    std::vector<double> y(n, 1.0);
    y[500] = kNan;
    y[501] = 77;
    const Polylines lines = decimate(upTo(n), y, {0, static_cast<double>(n - 1), 100});
    EXPECT_EQ(lines.lines(), 1U);
    EXPECT_NE(std::find(lines.vertices.begin(), lines.vertices.end(), Vertex{501, 77}),
              lines.vertices.end());
}

TEST(Decimate, ViewInsideKeepsOneNeighbourOnEachSide) {
    const std::vector<double> x = upTo(100);
    const std::vector<double> y = upTo(100);
    const Polylines lines = decimate(x, y, {10.5, 12.5, 100});
    const std::vector<Vertex> expected{{10, 10}, {11, 11}, {12, 12}, {13, 13}};
    EXPECT_EQ(lines.vertices, expected);
}

TEST(Decimate, LogarithmicViewLeavesOutWhatIsNotPositive) {
    const std::vector<double> x = upTo(5);
    const std::vector<double> y{1, 0, 2, -3, 4};
    const Polylines lines = decimate(x, y, {0, 4, 100, true});
    EXPECT_EQ(lines.lines(), 3U);
    for (const Vertex& v : lines.vertices) EXPECT_GT(v.y, 0);
}

TEST(Decimate, NothingToDrawGivesNothing) {
    EXPECT_EQ(decimate({}, {}, {0, 1, 10}).lines(), 0U);
    const std::vector<double> x = upTo(1000);
    const std::vector<double> y(1000, kNan);
    EXPECT_EQ(decimate(x, y, {0, 999, 10}).lines(), 0U);
    EXPECT_TRUE(decimate(x, y, {2000, 3000, 10}).vertices.empty());
}

TEST(Decimate, ManyPointsAtOneXAreOneColumn) {
    const std::vector<double> x(1000, 5.0);
    std::vector<double> y = upTo(1000);
    const Polylines lines = decimate(x, y, {0, 10, 10});
    const std::vector<Vertex> expected{{5, 0}, {5, 999}};
    EXPECT_EQ(lines.vertices, expected);
}

}  // namespace
}  // namespace ui
