// SPDX-License-Identifier: Apache-2.0
#include "core/run/event_tail.h"

#include "core/base/error.h"
#include "core/run/lines.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

std::string stepLine(std::int64_t step) { return toJsonLine(Event{1, step, StepEvent{}}) + "\n"; }

class EventTailTest : public testing::Test {
  protected:
    void append(std::string_view text) const { File::openForAppending(file_).append(text); }
    ScratchFolder scratch_;
    Path file_ = scratch_.path() / "events.jsonl";
};

TEST_F(EventTailTest, MissingFileIsEmpty) {
    EventTail tail(file_);
    EXPECT_TRUE(tail.poll().events.empty());
    append(stepLine(1));
    EXPECT_EQ(tail.poll().events.size(), 1U);
}

TEST_F(EventTailTest, TornLastLineWaitsUntilItIsWhole) {
    EventTail tail(file_);
    const std::string line = stepLine(2);
    append(stepLine(1) + line.substr(0, 10));
    EXPECT_EQ(tail.poll().events.size(), 1U);
    EXPECT_TRUE(tail.poll().events.empty());
    append(line.substr(10));
    const EventTail::Batch batch = tail.poll();
    ASSERT_EQ(batch.events.size(), 1U);
    EXPECT_EQ(batch.events[0].step, 2);
    EXPECT_EQ(batch.skipped, 0U);
}

TEST_F(EventTailTest, ATornLineOfAKilledTrainerSpoilsOnlyItself) {
    append(stepLine(1) + R"({"event":"step","step":2,"lo)");
    appendLine(File::openForAppending(file_), toJsonLine(Event{1, 3, StateEvent{"running"}}));
    EventTail tail(file_);
    const EventTail::Batch batch = tail.poll();
    ASSERT_EQ(batch.events.size(), 2U);
    EXPECT_EQ(batch.events[1].step, 3);
    EXPECT_EQ(batch.skipped, 1U);
}

TEST_F(EventTailTest, SmallBitesGiveTheSameEvents) {
    for (int step = 1; step <= 50; ++step) append(stepLine(step));
    EventTail tail(file_);
    std::int64_t expected = 1;
    do {
        for (const Event& event : tail.poll(37).events) EXPECT_EQ(event.step, expected++);
    } while (!tail.atEnd());
    EXPECT_EQ(expected, 51);
}

TEST_F(EventTailTest, BeginningInsideALineSkipsThatLine) {
    append(stepLine(1) + stepLine(2) + stepLine(3));
    EventTail tail(file_, 5);
    const EventTail::Batch batch = tail.poll();
    ASSERT_EQ(batch.events.size(), 2U);
    EXPECT_EQ(batch.events[0].step, 2);
    EXPECT_EQ(batch.skipped, 0U);
}

TEST_F(EventTailTest, AShorterFileIsReadAgain) {
    append(stepLine(1) + stepLine(2));
    EventTail tail(file_);
    EXPECT_EQ(tail.poll().events.size(), 2U);
    writeTextFile(file_, stepLine(9));
    const EventTail::Batch batch = tail.poll();
    ASSERT_EQ(batch.events.size(), 1U);
    EXPECT_EQ(batch.events[0].step, 9);
}

TEST_F(EventTailTest, NewerSchemaIsRefusedInClearWords) {
    append(R"({"event":"hello","time":1,"schema":99})"
           "\n");
    EventTail tail(file_);
    try {
        tail.poll();
        FAIL() << "a newer schema was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::BadInput);
        EXPECT_NE(std::string(error.what()).find("99"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("events.jsonl"), std::string::npos);
    }
}

TEST_F(EventTailTest, AnEndlessLineIsSkippedWithoutGrowing) {
    append(std::string(std::size_t{17} << 20, 'x'));
    EventTail tail(file_);
    std::uint64_t skipped = 0;
    do skipped += tail.poll().skipped;
    while (!tail.atEnd());
    EXPECT_EQ(skipped, 1U);
    append("xx\n" + stepLine(4));
    EXPECT_EQ(tail.poll().events.size(), 1U);
}

TEST(CutAfterStep, VoidsWhatAResumedRunDoesAgain) {
    std::vector<Event> events;
    events.push_back({1, 0, HelloEvent{}});
    for (int step = 1; step <= 5; ++step) events.push_back({1, step, StepEvent{}});
    events.push_back({1, 5, OrderEvent{"pause", "", 10}});
    events.push_back({1, 5, EvalEvent{}});
    cutAfterStep(events, 3);
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[3].step, 3);
    EXPECT_TRUE(std::holds_alternative<OrderEvent>(events[4].what));
}

}  // namespace
}  // namespace core
