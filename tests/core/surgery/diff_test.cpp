// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/diff.h"

#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace core::test {
namespace {

using Kind = TensorChange::Kind;

CheckpointDiff diffOf(const Checkpoint& a, const Checkpoint& b, double tolerance = 0) {
    const std::atomic<bool> cancel{false};
    return diffCheckpoints(a, b, {.tolerance = tolerance}, {}, cancel);
}

class Diff : public testing::Test {
  protected:
    std::shared_ptr<const Checkpoint> file(const std::vector<NamedFloats>& tensors) {
        const Path path = folder / (std::to_string(count++) + ".safetensors");
        writeCheckpoint(path, tensors);
        return Checkpoint::open(path);
    }
    std::shared_ptr<const Checkpoint> converted(const Checkpoint& source, const SurgeryPlan& plan,
                                                const ConvertOptions& options = {}) {
        const Path target = folder / ("out" + std::to_string(count++));
        convert(source, plan, target, options);
        return Checkpoint::open(target);
    }
    TemporaryFolder folder;
    int count = 0;
};

TEST_F(Diff, NamesEveryKindOfChange) {
    const auto a = file({{"same", {2}, {1, 2}},
                         {"changed", {2}, {1, -4}},
                         {"reshaped", {2}, {1, 2}},
                         {"removed", {1}, {1}}});
    const auto b = file({{"same", {2}, {1, 2}},
                         {"changed", {2}, {1, -3}},
                         {"reshaped", {1, 2}, {1, 2}},
                         {"added", {1}, {1}}});
    const CheckpointDiff diff = diffOf(*a, *b, 0);
    EXPECT_EQ(diff.unchanged, 1U);
    ASSERT_EQ(diff.changes.size(), 4U);
    EXPECT_EQ(diff.changes[0].name, "removed");
    EXPECT_EQ(diff.changes[0].kind, Kind::Removed);
    EXPECT_EQ(diff.changes[1].kind, Kind::Added);
    EXPECT_EQ(diff.changes[2].kind, Kind::Reshaped);
    EXPECT_EQ(diff.changes[2].detail, "[2] -> [1, 2]");
    EXPECT_EQ(diff.changes[3].name, "changed");
    EXPECT_EQ(diff.changes[3].kind, Kind::Changed);
    EXPECT_EQ(diff.changes[3].maxDifference, 1);
    EXPECT_EQ(diff.changes[3].relative, 0.25);
}

TEST_F(Diff, WhatChangedMostComesFirst) {
    const auto a = file({{"x", {1}, {1}}, {"y", {1}, {1}}, {"z", {1}, {1}}, {"n", {1}, {1}}});
    const auto b = file({{"x", {1}, {2}}, {"y", {1}, {4}}, {"z", {1}, {3}}, {"n", {1}, {NAN}}});
    std::vector<std::string> order;
    for (const TensorChange& change : diffOf(*a, *b).changes) order.push_back(change.name);
    EXPECT_EQ(order, (std::vector<std::string>{"n", "y", "z", "x"}));
}

TEST_F(Diff, LargeTensorsAreComparedWhole) {
    std::vector<float> values((std::size_t{2} << 20U) + 77, 1.0F);
    values[1'500'000] = -8;
    const auto a = file({{"t", {static_cast<std::int64_t>(values.size())}, values}});
    values.back() = 5;
    const auto b = file({{"t", {static_cast<std::int64_t>(values.size())}, values}});
    const CheckpointDiff diff = diffOf(*a, *b);
    ASSERT_EQ(diff.changes.size(), 1U);
    EXPECT_EQ(diff.changes[0].maxDifference, 4);
    EXPECT_EQ(diff.changes[0].relative, 0.5);
    EXPECT_EQ(diffOf(*a, *a).unchanged, 1U);
}

TEST_F(Diff, ProgressEndsAtItsTotalAndCancelStops) {
    const auto a = SmallVit{}.write(folder / "a");
    SurgeryPlan plan;
    plan.layers["encoder.1"] = moeLayer(3);
    const auto b = converted(*a, plan);
    std::atomic<bool> cancel{false};
    DiffProgress last;
    const auto progress = [&](const DiffProgress& now) {
        EXPECT_GE(now.done, last.done);
        last = now;
    };
    diffCheckpoints(*a, *b, {.experts = true}, progress, cancel);
    EXPECT_EQ(last.done, last.total);
    EXPECT_GT(last.total, 0U);
    int calls = 0;
    const std::string message = errorOf(ErrorKind::Stopped, [&] {
        diffCheckpoints(
            *a, *b, {},
            [&](const DiffProgress&) {
                ++calls;
                cancel = true;
            },
            cancel);
    });
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(message, "stopped by request");
}

TEST_F(Diff, ToleranceIsRelative) {
    const auto a = file({{"t", {2}, {100, 1}}});
    const auto b = file({{"t", {2}, {100, 2}}});
    EXPECT_EQ(diffOf(*a, *b, 0.01).unchanged, 1U);
    EXPECT_EQ(diffOf(*a, *b, 0.009).unchanged, 0U);
}

TEST_F(Diff, NonFiniteValues) {
    const float nan = std::nanf("");
    const float infinity = std::numeric_limits<float>::infinity();
    const auto a = file({{"t", {3}, {nan, infinity, 1}}});
    const auto b = file({{"t", {3}, {nan, infinity, 1}}});
    const auto c = file({{"t", {3}, {1, infinity, 1}}});
    EXPECT_EQ(diffOf(*a, *b, 0).unchanged, 1U);
    const CheckpointDiff diff = diffOf(*a, *c, 1e9);
    ASSERT_EQ(diff.changes.size(), 1U);
    EXPECT_TRUE(std::isinf(diff.changes[0].maxDifference));
}

TEST_F(Diff, ANewTypeIsAChangeOfItsOwn) {
    const auto a = SmallVit{}.write(folder / "a");
    ConvertOptions options;
    options.dtype = DType::BF16;
    const auto b = converted(*a, {}, options);
    const CheckpointDiff diff = diffOf(*a, *b, 0);
    EXPECT_EQ(diff.changes.size(), a->tensors().size());
    EXPECT_EQ(diff.changes[0].kind, Kind::Retyped);
    EXPECT_EQ(diff.changes[0].detail, "F32 -> BF16");
    EXPECT_LT(diff.changes[0].relative, 0.004);
}

TEST_F(Diff, TheStoryOfAnUpcycling) {
    const auto a = SmallVit{.layers = 6}.write(folder / "a");
    SurgeryPlan plan;
    for (const char* block : {"encoder.0", "encoder.3", "encoder.4", "encoder.5"})
        plan.layers[block] = moeLayer(4);
    const auto b = converted(*a, plan);
    const CheckpointDiff diff = diffOf(*a, *b, 0);
    ASSERT_EQ(diff.story.size(), 2U);
    EXPECT_EQ(diff.story[0],
              "blocks encoder.0, encoder.3-5 became MoE, 4 experts each, expert-choice, capacity "
              "2, all copies of the dense MLP");
    EXPECT_TRUE(contains(diff.story[1], "are the same")) << diff.story[1];

    ConvertOptions half;
    half.dtype = DType::F16;
    EXPECT_TRUE(contains(diffOf(*a, *converted(*a, plan, half), 0).story[0],
                         "all copies of the dense MLP (in another type)"));
    plan.layers = {{"encoder.2", moeLayer(2, {ExpertInit::Kind::Noise, 0.1})}};
    const std::string noisy = diffOf(*a, *converted(*a, plan), 0).story[0];
    EXPECT_TRUE(contains(noisy, "block encoder.2 became MoE")) << noisy;
    EXPECT_FALSE(contains(noisy, "all copies")) << noisy;
}

TEST_F(Diff, TheStoryOfSettingsAndWayBack) {
    const auto a = SmallVit{}.write(folder / "a");
    SurgeryPlan plan;
    plan.layers["encoder.3"] = moeLayer(4);
    const auto b = converted(*a, plan);
    plan.layers["encoder.3"].moe.capacity = 1;
    const auto c = converted(*a, plan);
    EXPECT_EQ(diffOf(*b, *c, 0).story[0],
              "block encoder.3 changed from 4 experts each, expert-choice, capacity 2 to 4 experts "
              "each, expert-choice, capacity 1");
    EXPECT_EQ(diffOf(*b, *a, 0).story[0], "block encoder.3 became dense");
    const CheckpointDiff same = diffOf(*b, *b, 0);
    EXPECT_TRUE(same.changes.empty());
    EXPECT_TRUE(contains(same.story[0], "are the same")) << same.story[0];
}

}  // namespace
}  // namespace core::test
