// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/workspace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace {

using core::Tensor;
using core::Workspace;

/// Counts what it is asked for.
struct CountingAllocator {
    int calls = 0;
    Workspace::Allocator function() {
        return [this](std::size_t bytes) {
            ++calls;
            return core::allocateHost(bytes);
        };
    }
};

TEST(Workspace, TensorsDoNotOverlap) {
    Workspace workspace;
    std::vector<Tensor> tensors;
    for (int i = 0; i < 200; ++i) {
        tensors.push_back(workspace.allocate({i * 37 % 5000 + 1}));
        for (float& value : tensors.back().span<float>()) value = static_cast<float>(i);
    }
    for (int i = 0; i < 200; ++i)
        for (const float value : tensors[static_cast<std::size_t>(i)].span<float>())
            ASSERT_EQ(value, static_cast<float>(i));
}

TEST(Workspace, TensorsAreAligned) {
    Workspace workspace;
    for (const std::int64_t n : {1, 3, 17, 64, 5})
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(workspace.allocate({n}).raw()) % 64, 0U);
}

TEST(Workspace, TheSecondStepAllocatesNothing) {
    CountingAllocator counter;
    Workspace workspace(counter.function());
    const auto step = [&] {
        for (int i = 0; i < 50; ++i) workspace.allocate({100000});
    };
    step();
    workspace.reset();
    const int afterFirst = counter.calls;
    step();
    workspace.reset();
    step();
    EXPECT_EQ(counter.calls, afterFirst);
    EXPECT_GE(workspace.capacityBytes(), 50U * 400000U);
}

TEST(Workspace, TheChunksAreGoneBeforeTheirSumIsAskedFor) {
    std::vector<std::weak_ptr<core::Buffer>> given;
    std::size_t mostAlive = 0;
    Workspace workspace([&](std::size_t bytes) {
        std::size_t alive = bytes;
        for (const auto& weak : given)
            if (const auto buffer = weak.lock()) alive += buffer->bytes();
        mostAlive = std::max(mostAlive, alive);
        const auto buffer = core::allocateHost(bytes);
        given.push_back(buffer);
        return buffer;
    });
    for (int step = 0; step < 3; ++step) {
        for (int i = 0; i < 50; ++i) workspace.allocate({100000});
        workspace.reset();
    }
    EXPECT_GT(given.size(), 2U) << "else nothing was joined";
    EXPECT_EQ(workspace.capacityBytes(), 50U * 400000U) << "what was needed and no more";
    EXPECT_LE(mostAlive, workspace.capacityBytes() * 5 / 4);
}

TEST(Workspace, WhatIsReservedIsEnoughFromTheFirstStep) {
    CountingAllocator counter;
    Workspace workspace(counter.function());
    workspace.reserve(50U * 400000U);
    EXPECT_EQ(counter.calls, 1);
    for (int step = 0; step < 2; ++step) {
        for (int i = 0; i < 50; ++i) workspace.allocate({100000});
        workspace.reset();
    }
    EXPECT_EQ(counter.calls, 1);
    workspace.reserve(1U << 30U);
    EXPECT_EQ(counter.calls, 1) << "it has its memory already";
}

TEST(Workspace, ScopesGiveBackWhatTheyTook) {
    Workspace workspace;
    const Tensor kept = workspace.allocate({10});
    std::byte* inScope = nullptr;
    for (int i = 0; i < 3; ++i) {
        const Workspace::Scope scope(workspace);
        const Tensor t = workspace.allocate({1000});
        if (inScope == nullptr) inScope = t.raw();
        EXPECT_EQ(t.raw(), inScope);
        {
            const Workspace::Scope nested(workspace);
            EXPECT_NE(workspace.allocate({1000}).raw(), inScope);
        }
    }
    EXPECT_NE(kept.raw(), inScope);
}

TEST(Workspace, ScopesSpanChunks) {
    CountingAllocator counter;
    Workspace workspace(counter.function());
    Tensor before = workspace.allocate({100});
    for (float& value : before.span<float>()) value = 5.0F;
    for (int round = 0; round < 4; ++round) {
        const Workspace::Scope scope(workspace);
        for (int i = 0; i < 20; ++i) {
            const Tensor t = workspace.allocate({200000});
            for (float& value : t.span<float>()) value = 1.0F;
        }
    }
    const int calls = counter.calls;
    {
        const Workspace::Scope scope(workspace);
        for (int i = 0; i < 20; ++i) workspace.allocate({200000});
    }
    EXPECT_EQ(counter.calls, calls);
    for (const float value : before.span<float>()) ASSERT_EQ(value, 5.0F);
}

TEST(Workspace, PeakIsTheMostAliveAtOnce) {
    Workspace workspace;
    {
        const Workspace::Scope scope(workspace);
        workspace.allocate({1 << 20});
    }
    {
        const Workspace::Scope scope(workspace);
        workspace.allocate({1 << 20});
    }
    EXPECT_GE(workspace.peakBytes(), std::size_t{4} << 20U);
    EXPECT_LT(workspace.peakBytes(), std::size_t{5} << 20U);
}

TEST(Workspace, LargerThanAnyChunk) {
    Workspace workspace;
    EXPECT_EQ(workspace.allocate({10 << 20}).elements(), 10 << 20);
    EXPECT_EQ(workspace.allocate({0}).elements(), 0);
}

}  // namespace
