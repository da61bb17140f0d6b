// SPDX-License-Identifier: Apache-2.0
#include "core/run/past_run.h"

#include "core/run/event.h"
#include "core/run/lines.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

class PastRunTest : public testing::Test {
  protected:
    template <typename T>
    void log(std::int64_t step, T what) const {
        appendLine(File::openForAppending(file_), toJsonLine(Event{1, step, std::move(what)}));
    }
    ScratchFolder scratch_;
    Path file_ = scratch_.path() / "events.jsonl";
};

TEST_F(PastRunTest, NothingThereMeansAFreshStart) {
    const PastRun past = readPastRun(file_);
    EXPECT_FALSE(past.began);
    EXPECT_FALSE(past.finished);
    EXPECT_EQ(past.controlOffset, 0U);
}

TEST_F(PastRunTest, ObeyedOrdersAreKnownByTheirOffset) {
    log(0, HelloEvent{});
    log(3, OrderEvent{"pause", "", 40});
    log(3, OrderEvent{"resume", "", 80});
    EXPECT_EQ(readPastRun(file_).controlOffset, 80U);
    log(5, DoneEvent{"stopped", 120});
    EXPECT_EQ(readPastRun(file_).controlOffset, 120U);
}

TEST_F(PastRunTest, FinishedIsUndoneByAnotherHello) {
    log(0, HelloEvent{});
    log(9, DoneEvent{"finished", 0});
    EXPECT_TRUE(readPastRun(file_).finished);
    log(9, HelloEvent{});
    EXPECT_FALSE(readPastRun(file_).finished);
}

TEST_F(PastRunTest, ALaterRateReplacesThoseOfLaterSteps) {
    using Rates = std::deque<std::pair<std::int64_t, double>>;
    log(0, HelloEvent{});
    log(20, OrderEvent{"set", "lr=0.5", 1});
    log(80, OrderEvent{"set", "lr=0.25", 2});
    EXPECT_EQ(readPastRun(file_).learningRates, (Rates{{20, 0.5}, {80, 0.25}}));
    log(40, HelloEvent{});
    log(60, OrderEvent{"set", "lr=0.125", 3});
    EXPECT_EQ(readPastRun(file_).learningRates, (Rates{{20, 0.5}, {60, 0.125}}));
}

}  // namespace
}  // namespace core
