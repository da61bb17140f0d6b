// SPDX-License-Identifier: Apache-2.0
#include "core/run/router_watch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

ModelSpec specWith(RouterKind router, std::int64_t experts, int k) {
    MoeSpec moe;
    moe.router = router;
    moe.experts = experts;
    moe.k = k;
    moe.capacity = 2;
    ModelSpec spec;
    spec.blocks.push_back({"encoder.0", "encoder", 0, std::nullopt});
    spec.blocks.push_back({"encoder.1", "encoder", 1, moe});
    return spec;
}

RouterStats stats(std::vector<double> load, double unrouted = 0) {
    RouterStats made;
    made.block = "encoder.1";
    made.load = std::move(load);
    made.unrouted = unrouted;
    return made;
}

int alarmsIn(RouterWatch& watch, const RouterStats& seen, int times, const std::string& kind) {
    int found = 0;
    for (int i = 0; i < times; ++i)
        for (const AlarmEvent& alarm : watch.see(seen))
            if (alarm.kind == kind) ++found;
    return found;
}

TEST(RouterWatch, ADeadExpertIsSaidOnceUntilItLives) {
    RouterWatch watch(specWith(RouterKind::TopK, 4, 1));
    const RouterStats dead = stats({0, 1.3, 1.4, 1.3});
    EXPECT_EQ(alarmsIn(watch, dead, RouterWatch::kPatience - 1, "dead-expert"), 0);
    EXPECT_EQ(alarmsIn(watch, dead, 200, "dead-expert"), 1);
    EXPECT_EQ(alarmsIn(watch, stats({1, 1, 1, 1}), 1, "dead-expert"), 0);
    EXPECT_EQ(alarmsIn(watch, dead, RouterWatch::kPatience, "dead-expert"), 1);
}

TEST(RouterWatch, TheAlarmNamesExpertAndBlock) {
    RouterWatch watch(specWith(RouterKind::TopK, 4, 1));
    std::vector<AlarmEvent> last;
    for (int i = 0; i < RouterWatch::kPatience; ++i) last = watch.see(stats({1.3, 1.4, 0, 1.3}));
    ASSERT_EQ(last.size(), 1U);
    EXPECT_EQ(last[0].block, "encoder.1");
    EXPECT_NE(last[0].message.find("expert 2"), std::string::npos);
}

TEST(RouterWatch, TopKCollapseIsKExpertsTakingAlmostAll) {
    RouterWatch watch(specWith(RouterKind::TopK, 8, 2));
    EXPECT_EQ(alarmsIn(watch, stats({3.7, 3.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}), 100, "collapse"), 1);
    RouterWatch even(specWith(RouterKind::TopK, 8, 2));
    EXPECT_EQ(alarmsIn(even, stats({2.5, 2.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}), 100, "collapse"), 0);
    RouterWatch two(specWith(RouterKind::TopK, 2, 2));
    EXPECT_EQ(alarmsIn(two, stats({1, 1}), 100, "collapse"), 0);
}

TEST(RouterWatch, ExpertChoiceCollapseIsExpertsWantingTheSameTokens) {
    const std::vector<double> even(8, 1.0);
    RouterWatch watch(specWith(RouterKind::ExpertChoice, 8, 2));
    EXPECT_EQ(alarmsIn(watch, stats(even, 0.74), 100, "collapse"), 1);
    RouterWatch healthy(specWith(RouterKind::ExpertChoice, 8, 2));
    EXPECT_EQ(alarmsIn(healthy, stats(even, 0.08), 100, "collapse"), 0);
    EXPECT_EQ(alarmsIn(healthy, stats({0, 1, 1, 1, 1, 1, 1, 2}, 0.08), 100, "dead-expert"), 0);
}

TEST(RouterWatch, OtherBlocksAndShapesAreLeftAlone) {
    RouterWatch watch(specWith(RouterKind::TopK, 4, 1));
    EXPECT_TRUE(watch.see(stats({0, 1})).empty());
    RouterStats other = stats({0, 0, 0, 4});
    other.block = "encoder.9";
    EXPECT_EQ(alarmsIn(watch, other, 200, "dead-expert"), 0);
}

TEST(RouterPace, ALongRunStaysBounded) {
    RouterPace pace(1000000);
    int events = 0;
    for (std::int64_t step = 1; step <= 1000000; ++step)
        if (pace.due(step, static_cast<double>(step) * 0.1)) ++events;
    EXPECT_GE(events, RouterPace::kMostEvents);
    EXPECT_LE(events, RouterPace::kMostEvents + RouterPace::kEarlyEvents + 1);
}

TEST(RouterPace, EarlyOnThereIsOneASecond) {
    RouterPace pace(1000000);
    EXPECT_TRUE(pace.due(1, 10.0));
    EXPECT_FALSE(pace.due(2, 10.5));
    EXPECT_TRUE(pace.due(3, 11.0));
    EXPECT_FALSE(pace.due(4, 11.9));
    EXPECT_TRUE(pace.due(5, 12.1));
}

TEST(RouterPace, AShortRunIsSeenWhole) {
    RouterPace pace(300);
    for (std::int64_t step = 1; step <= 300; ++step) EXPECT_TRUE(pace.due(step, 0.0));
}

}  // namespace
}  // namespace core
