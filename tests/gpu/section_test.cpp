// SPDX-License-Identifier: Apache-2.0
// Work that is started as one CUDA graph, and what goes between host and device beside it, on the
// host SIMT harness.
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"
#include "core/ops/memory.h"
#include "core/ops/reduce.h"
#include "gpu/cuda_backend.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace {

using core::DType;
using core::Tensor;

class Sections : public testing::Test {
  protected:
    Tensor onDevice(const std::vector<float>& values) {
        return core::ops::toDevice(
            backend, Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values));
    }
    std::vector<float> onHost(const Tensor& device) {
        const Tensor host = core::ops::readable(backend, device);
        return {host.span<float>().begin(), host.span<float>().end()};
    }
    Tensor number() { return core::ops::toDevice(backend, Tensor::zeros({1}, DType::F64)); }
    double squaresOf(const Tensor& x) { return core::ops::hostNumber(backend, x); }

    gpu::CudaBackend backend{0};
};

TEST_F(Sections, BeginAsOneGraphFromTheSecondTimeOnWithTheArgumentsOfNow) {
    const Tensor places[] = {onDevice({1, 2}), onDevice({10, 20})};
    std::vector<std::vector<float>> expected{{1, 2}, {10, 20}};
    for (int i = 0; i < 5; ++i) {
        const auto factor = static_cast<float>(i + 2);
        const auto which = static_cast<std::size_t>(i % 2);
        backend.section(7, [&] {
            core::ops::scale(backend, places[which], factor);
            core::ops::add(backend, places[which], places[which], places[which]);
        });
        for (float& value : expected[which]) value *= 2 * factor;
        EXPECT_EQ(backend.graphsLaunched(), i);
    }
    for (const std::size_t which : {0U, 1U}) EXPECT_EQ(onHost(places[which]), expected[which]);
}

TEST_F(Sections, BodiesOfOtherShapesMakeAnotherGraph) {
    const Tensor x = onDevice({1});
    const auto section = [&](int scales) {
        backend.section(1, [&] {
            for (int k = 0; k < scales; ++k) core::ops::scale(backend, x, 2.0F);
        });
    };
    for (const int scales : {1, 2, 3, 4, 5, 6}) section(scales);
    EXPECT_EQ(backend.graphsLaunched(), 5);
    EXPECT_EQ(onHost(x).front(), 2097152.0F);  // 2^(1 + 2 + ... + 6)
    section(6);                                // alike: it may go on
    for (int i = 0; i < 20; ++i) section(i % 2);
    EXPECT_EQ(backend.graphsLaunched(), 6 + 8) << "building anew each time is not worth it";
    EXPECT_EQ(onHost(x).front(), 2097152.0F * 64.0F * 1024.0F);
}

TEST_F(Sections, StagedValuesOfSeveralQueuedGraphsStayApart) {
    const Tensor x = onDevice({3});
    const Tensor y = onDevice({4});
    std::vector<Tensor> totals;
    constexpr int kSections = 20;
    for (int i = 0; i < kSections; ++i) {
        totals.push_back(number());
        // The list of tensors travels by way of the host.
        const std::vector<Tensor> all(static_cast<std::size_t>(i + 1), i % 2 == 0 ? x : y);
        backend.section(3, [&] {
            core::ops::sumOfSquares(backend, totals.back(), all);
            core::ops::sumOfSquares(backend, totals.back(), all);
        });
    }
    EXPECT_EQ(backend.graphsLaunched(), kSections - 1);
    for (int i = 0; i < kSections; ++i)
        EXPECT_EQ(squaresOf(totals[static_cast<std::size_t>(i)]), (i + 1) * (i % 2 == 0 ? 9 : 16));
}

TEST_F(Sections, MoreStagedValuesThanThereIsRoomForComeWithTheNextGraph) {
    const Tensor x = onDevice({1});
    const std::vector<Tensor> many(20000, x);
    const Tensor total = number();
    for (int i = 0; i < 3; ++i)
        backend.section(3, [&] { core::ops::sumOfSquares(backend, total, many); });
    EXPECT_EQ(backend.graphsLaunched(), 1);
    EXPECT_EQ(squaresOf(total), 20000);
}

TEST_F(Sections, WhatNeedsTheHostRunsWithoutAGraphAndIsNotTriedForEver) {
    const Tensor x = onDevice({1, 2, 3});
    int runs = 0;
    for (int i = 0; i < 6; ++i)
        backend.section(1, [&] {
            ++runs;
            core::ops::scale(backend, x, 2.0F);
            onHost(x);
        });
    EXPECT_EQ(runs, 6 + 2);
    EXPECT_EQ(backend.graphsLaunched(), 0);
    EXPECT_EQ(onHost(x), (std::vector<float>{64, 128, 192}));
}

TEST_F(Sections, NewMemoryIsHadWithoutAGraph) {
    Tensor kept;
    std::vector<std::int64_t> graphs;
    for (const std::int64_t size : {1000, 2000, 1000, 500, 500}) {
        backend.section(1, [&] {
            const Tensor x(backend.allocate(static_cast<std::size_t>(4 * size)), 0, {size},
                           DType::F32);
            core::ops::fill(backend, x, static_cast<float>(size));
            if (size == 2000) kept = x;
        });
        graphs.push_back(backend.graphsLaunched());
    }
    EXPECT_EQ(graphs, (std::vector<std::int64_t>{0, 0, 1, 1, 2}));
    EXPECT_EQ(onHost(kept), std::vector<float>(2000, 2000.0F));
}

TEST_F(Sections, AnErrorOfTheBodyIsToldAndTheNextSectionRuns) {
    const Tensor x = onDevice({1, 2});
    const auto section = [&](const Tensor& y) {
        backend.section(1, [&] { core::ops::add(backend, x, x, y); });
    };
    section(x);
    EXPECT_THROW(section(onDevice({1})), core::CheckFailure);
    section(x);
    EXPECT_EQ(backend.graphsLaunched(), 1);
    EXPECT_EQ(onHost(x), (std::vector<float>{4, 8}));
}

TEST_F(Sections, ReadbacksHaveTheValuesOfTheirMoment) {
    const Tensor x = onDevice({1, 2});
    std::vector<std::unique_ptr<core::Readback>> readbacks;
    for (int i = 0; i < 12; ++i) {
        readbacks.push_back(backend.readBack(x));
        core::ops::scale(backend, x, 2.0F);
    }
    readbacks[3]->take();
    EXPECT_TRUE(readbacks[3]->ready());
    EXPECT_FALSE(readbacks[4]->ready()) << "it has not been waited for";
    backend.synchronize();
    float expected = 1;
    for (const auto& readback : readbacks) {
        EXPECT_TRUE(readback->ready());
        const Tensor host = readback->take();
        EXPECT_EQ(host.data<float>()[0], expected);
        EXPECT_EQ(host.data<float>()[1], 2 * expected);
        expected *= 2;
    }
}

TEST_F(Sections, AReadbackTellsOfABadId) {
    const Tensor ids = core::ops::toDevice(
        backend, Tensor::of<std::int64_t>({3}, std::vector<std::int64_t>{0, 9, 1}));
    const Tensor table = onDevice({1, 2, 3, 4});
    const Tensor y = onDevice({0, 0, 0});
    core::ops::embeddingForward(backend, y.view({3, 1}), ids, table.view({4, 1}));
    const auto readback = backend.readBack(y);
    EXPECT_THROW(readback->take(), core::CheckFailure);
    EXPECT_EQ(onHost(y).back(), 2.0F) << "said once, and the others were computed";
}

TEST_F(Sections, UploadsBesideArriveBeforeTheWorkThatFollows) {
    const Tensor places[] = {onDevice(std::vector<float>(3000)),
                             onDevice(std::vector<float>(3000))};
    const Tensor sum = number();
    std::vector<Tensor> sums;
    for (int i = 0; i < 6; ++i) {
        Tensor host = Tensor::host({3000});
        std::fill(host.span<float>().begin(), host.span<float>().end(), static_cast<float>(i));
        const Tensor& place = places[i % 2];
        backend.uploadBeside(std::vector<core::HostCopy>{{place, host}});
        std::fill(host.span<float>().begin(), host.span<float>().end(), -1.0F);  // free to use
        sums.push_back(number());
        backend.section(5, [&] { core::ops::sum(backend, sums.back(), place); });
    }
    for (int i = 0; i < 6; ++i) EXPECT_EQ(squaresOf(sums[static_cast<std::size_t>(i)]), 3000.0 * i);
}

}  // namespace
