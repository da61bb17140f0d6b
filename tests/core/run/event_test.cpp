// SPDX-License-Identifier: Apache-2.0
#include "core/run/event.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <typename T>
T reread(const T& what, std::int64_t step = 7) {
    const std::string line = toJsonLine(Event{12.5, step, what});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const std::optional<Event> event = eventFromJsonLine(line);
    EXPECT_TRUE(event.has_value()) << line;
    if (!event) return {};
    EXPECT_DOUBLE_EQ(event->time, 12.5);
    EXPECT_EQ(event->step, step);
    EXPECT_TRUE(std::holds_alternative<T>(event->what)) << line;
    return std::get<T>(event->what);
}

TEST(Event, HelloKeepsEveryField) {
    HelloEvent hello;
    hello.program = "upcycle";
    hello.version = "1.2";
    hello.device = "cpu";
    hello.deviceReason = "no CUDA device";
    hello.dtype = "f32";
    hello.threads = 2;
    hello.model = "/m";
    hello.parameters = 123456789012;
    hello.steps = 500;
    const HelloEvent first = reread(hello, 0);
    EXPECT_EQ(first.schema, kEventSchema);
    EXPECT_EQ(first.program, "upcycle");
    EXPECT_EQ(first.version, "1.2");
    EXPECT_EQ(first.device, "cpu");
    EXPECT_EQ(first.deviceReason, "no CUDA device");
    EXPECT_EQ(first.dtype, "f32");
    EXPECT_EQ(first.threads, 2);
    EXPECT_EQ(first.model, "/m");
    EXPECT_EQ(first.parameters, 123456789012);
    EXPECT_EQ(first.steps, 500);
    EXPECT_FALSE(first.resumedFrom.has_value());
    hello.resumedFrom = 40;
    EXPECT_EQ(reread(hello, 40).resumedFrom, 40);
}

TEST(Event, StepHasTheNamesOfTheContract) {
    const StepEvent step{1.25, 0.5, 0.25, 1e-3, 3.5, 32, 1600, 0.125, true};
    EXPECT_EQ(toJsonLine(Event{1.5, 3, step}),
              R"({"event":"step","time":1.5,"step":3,"loss":1.25,"aux_loss":0.5,"z_loss":0.25,)"
              R"("lr":0.001,"grad_norm":3.5,"examples":32,"tokens":1600,"seconds":0.125})");
    const StepEvent again = reread(step);
    EXPECT_EQ(again.loss, 1.25);
    EXPECT_EQ(again.tokens, 1600);
    EXPECT_TRUE(again.applied);
}

TEST(Event, NonFiniteIsNullAndSaid) {
    StepEvent step;
    step.loss = kNaN;
    step.gradNorm = std::numeric_limits<double>::infinity();
    step.applied = false;
    const std::string line = toJsonLine(Event{1, 1, step});
    EXPECT_NE(line.find(R"("loss":null)"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("grad_norm":null)"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("finite":false)"), std::string::npos) << line;
    const StepEvent again = reread(step);
    EXPECT_TRUE(std::isnan(again.loss));
    EXPECT_TRUE(std::isnan(again.gradNorm));
    EXPECT_FALSE(again.applied);
}

TEST(Event, RouterKeepsLoads) {
    RouterEvent router;
    router.stats = {"encoder.3", {0.5, 1.5, kNaN}, 0.05, 0.1, 0.9, 1.0, 0.5};
    router.experts = 3;
    const RouterEvent again = reread(router);
    EXPECT_EQ(again.stats.block, "encoder.3");
    ASSERT_EQ(again.stats.load.size(), 3U);
    EXPECT_EQ(again.stats.load[1], 1.5);
    EXPECT_TRUE(std::isnan(again.stats.load[2]));
    EXPECT_EQ(again.stats.unrouted, 0.05);
    EXPECT_EQ(again.stats.dropped, 0.1);
    EXPECT_EQ(again.stats.entropy, 0.9);
    EXPECT_EQ(again.stats.combineSum, 1.0);
    EXPECT_EQ(again.stats.cv, 0.5);
    EXPECT_EQ(again.experts, 3);
}

TEST(Event, EvalKeepsFurtherMetrics) {
    EvalEvent eval{"test", 0.5, 0.875, {{"fewshot:10", 0.75}}};
    const EvalEvent again = reread(eval);
    EXPECT_EQ(again.split, "test");
    EXPECT_EQ(again.loss, 0.5);
    EXPECT_EQ(again.accuracy, 0.875);
    EXPECT_EQ(again.metrics, eval.metrics);
    eval.accuracy.reset();
    EXPECT_FALSE(reread(eval).accuracy.has_value());
}

TEST(Event, SamplesKeepWhateverTextTheyHave) {
    const SampleEvent sample{"The <extra_id_0> sat.\n\xd7\xa9\t\"", "<extra_id_0> cat \x01",
                             std::string("<extra_id_0> d\0g", 16)};
    EXPECT_EQ(toJsonLine(Event{1.5, 3, SampleEvent{"a <extra_id_0>", "<extra_id_0> b", "c"}}),
              R"({"event":"sample","time":1.5,"step":3,"input":"a <extra_id_0>",)"
              R"("filled":"<extra_id_0> b","truth":"c"})");
    const SampleEvent again = reread(sample);
    EXPECT_EQ(again.input, sample.input);
    EXPECT_EQ(again.filled, sample.filled);
    EXPECT_EQ(again.truth, sample.truth);
    const auto part = eventFromJsonLine(R"({"event":"sample","step":2,"input":7,"truth":"t"})");
    ASSERT_TRUE(part.has_value());
    EXPECT_EQ(std::get<SampleEvent>(part->what).input, "");
    EXPECT_EQ(std::get<SampleEvent>(part->what).truth, "t");
}

TEST(Event, TheOthersComeBack) {
    EXPECT_EQ(reread(CheckpointEvent{"checkpoints/step-00000007"}).path,
              "checkpoints/step-00000007");
    EXPECT_EQ(reread(StateEvent{"paused"}).state, "paused");
    EXPECT_EQ(reread(AlarmEvent{"dead-expert", "encoder.3", "why"}).block, "encoder.3");
    EXPECT_EQ(reread(ErrorEvent{"disk-full", "what", "do"}).hint, "do");
    EXPECT_EQ(reread(OrderEvent{"set", "lr=1", 99}).controlOffset, 99U);
    EXPECT_EQ(reread(DoneEvent{"stopped", 12}).reason, "stopped");
}

TEST(Event, UnknownNamesAndKeysAreTolerated) {
    const std::optional<Event> later =
        eventFromJsonLine(R"({"event":"profile","time":2,"step":4,"x":[1]})");
    ASSERT_TRUE(later.has_value());
    EXPECT_EQ(std::get<UnknownEvent>(later->what).name, "profile");
    EXPECT_EQ(later->step, 4);
    const std::optional<Event> more =
        eventFromJsonLine(R"({"event":"step","step":4,"loss":"high","lr":0.5,"new":{"a":1}})");
    ASSERT_TRUE(more.has_value());
    EXPECT_EQ(std::get<StepEvent>(more->what).lr, 0.5);
    EXPECT_EQ(std::get<StepEvent>(more->what).loss, 0);
}

TEST(Event, TornAndMalformedLinesAreNotEvents) {
    for (const char* line : {"", "{", R"({"event":"step","st)", "[1,2]", "nonsense",
                             R"({"time":1})", R"({"event":5})", "\xff\xfe"})
        EXPECT_FALSE(eventFromJsonLine(line).has_value()) << line;
}

TEST(Event, BytesThatAreNotUtf8StillMakeALine) {
    const std::string line = toJsonLine(Event{1, 1, ErrorEvent{"k", "bad \xff name", ""}});
    EXPECT_TRUE(eventFromJsonLine(line).has_value());
}

}  // namespace
}  // namespace core
