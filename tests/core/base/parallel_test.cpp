// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace {

/// Leaves the thread's team size as it was.
class Parallel : public testing::TestWithParam<int> {
  protected:
    void SetUp() override {
        before_ = core::threads();
        core::setThreads(GetParam());
    }
    void TearDown() override { core::setThreads(before_); }

  private:
    int before_ = 1;
};

TEST_P(Parallel, VisitsEveryIndexOnce) {
    for (const std::int64_t n : {0, 1, 2, 3, 7, 1000})
        for (const std::int64_t grain : {0, 1, 3, 2000}) {
            std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
            core::parallelFor(n, grain, [&](std::int64_t begin, std::int64_t end, int) {
                for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
            });
            for (const auto& count : visits) EXPECT_EQ(count, 1);
        }
}

TEST_P(Parallel, PartsAreContiguousAndAsManyAsSaid) {
    const int parts = core::parallelParts(1001, 10);
    EXPECT_LE(parts, GetParam());
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges(static_cast<std::size_t>(parts),
                                                              {-1, -1});
    core::parallelFor(1001, 10, [&](std::int64_t begin, std::int64_t end, int part) {
        ranges[static_cast<std::size_t>(part)] = {begin, end};
    });
    std::int64_t next = 0;
    for (const auto& [begin, end] : ranges) {
        EXPECT_EQ(begin, next);
        next = end;
    }
    EXPECT_EQ(next, 1001);
}

TEST_P(Parallel, SmallWorkStaysOnOneThread) {
    EXPECT_EQ(core::parallelParts(10, 11), 1);
    EXPECT_EQ(core::parallelParts(0, 1), 1);
}

TEST_P(Parallel, ExceptionsComeBack) {
    auto failing = [](std::int64_t begin, std::int64_t, int) {
        if (begin == 0) throw std::runtime_error("first range");
    };
    EXPECT_THROW(core::parallelFor(100, 1, failing), std::runtime_error);
}

TEST_P(Parallel, NestedLoopsRunSerially) {
    std::atomic<int> inner{0};
    core::parallelFor(4, 1, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t i = begin; i < end; ++i)
            core::parallelFor(8, 1, [&](std::int64_t from, std::int64_t to, int) {
                inner += static_cast<int>(to - from);
            });
    });
    EXPECT_EQ(inner, 32);
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 5));

TEST(Threads, ZeroMeansAllProcessors) {
    core::setThreads(0);
    EXPECT_GE(core::threads(), 1);
}

}  // namespace
