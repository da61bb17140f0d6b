// SPDX-License-Identifier: Apache-2.0
#include "core/run/control.h"

#include "core/base/error.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

class ControlTest : public testing::Test {
  protected:
    void append(std::string_view text) const { File::openForAppending(file_).append(text); }
    ScratchFolder scratch_;
    Path file_ = scratch_.path() / "control.jsonl";
};

TEST_F(ControlTest, OrdersComeBackOnceInOrder) {
    OrderReader reader(file_, 0);
    EXPECT_FALSE(reader.next().has_value());
    appendOrder(file_, {"pause", ""});
    appendOrder(file_, {"set", "lr=0.5"});
    const std::optional<Order> pause = reader.next();
    ASSERT_TRUE(pause.has_value());
    EXPECT_EQ(pause->command, "pause");
    const std::uint64_t between = reader.offset();
    const std::optional<Order> set = reader.next();
    ASSERT_TRUE(set.has_value());
    EXPECT_EQ(set->argument, "lr=0.5");
    EXPECT_FALSE(reader.next().has_value());
    OrderReader later(file_, between);
    EXPECT_EQ(later.next()->command, "set");
    EXPECT_FALSE(later.next().has_value());
}

TEST_F(ControlTest, TornLinesWaitAndMalformedOnesAreSkipped) {
    append(R"({"command":"pa)");
    OrderReader reader(file_, 0);
    EXPECT_FALSE(reader.next().has_value());
    append(
        "use\"}\nnonsense\n{\"command\":\"dance\"}\n{\"command\":\"set\",\"argument\":\"lr=nan\"}\n"
        "{\"command\":\"stop\"}\n");
    EXPECT_EQ(reader.next()->command, "pause");
    EXPECT_EQ(reader.next()->command, "stop");
    EXPECT_FALSE(reader.next().has_value());
}

TEST_F(ControlTest, AnOrderAfterATornLineIsRead) {
    append(R"({"command":"pa)");
    appendOrder(file_, {"stop", ""});
    OrderReader reader(file_, 0);
    EXPECT_EQ(reader.next()->command, "stop");
}

TEST_F(ControlTest, AShorterFileIsReadFromItsBeginning) {
    OrderReader reader(file_, 1000);
    appendOrder(file_, {"resume", ""});
    EXPECT_EQ(reader.next()->command, "resume");
}

TEST_F(ControlTest, SkipToEndPassesWhatIsThere) {
    appendOrder(file_, {"stop", ""});
    appendOrder(file_, {"stop", ""});
    OrderReader reader(file_, 0);
    reader.skipToEnd();
    EXPECT_EQ(reader.offset(), File::openForReading(file_).size());
    EXPECT_FALSE(reader.next().has_value());
}

TEST_F(ControlTest, WrongOrdersAreUsageErrorsAndLeaveNothing) {
    for (const Order& order : {Order{"dance", ""}, Order{"set", "batch=3"}, Order{"set", "lr=x"},
                               Order{"set", "lr=-1"}, Order{"set", "lr=inf"}, Order{"set", ""}}) {
        try {
            appendOrder(file_, order);
            FAIL() << order.command << " " << order.argument;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Usage);
            EXPECT_FALSE(error.hint().empty());
        }
    }
    EXPECT_FALSE(std::filesystem::exists(file_));
}

}  // namespace
}  // namespace core
