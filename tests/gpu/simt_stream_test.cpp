// SPDX-License-Identifier: Apache-2.0
// Streams and graphs of the host SIMT harness.
#include "gpu/launch.h"
#include "tests/gpu/simt_test.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using gpu::launch;
using simt_test::Array;

TEST(SimtStream, WorkWaitsSoThatReusedPinnedMemoryIsFound) {
    const gpu::Stream stream;
    const Array<int> y(1);
    const gpu::PinnedMemory pinned(sizeof(int));
    int pageable = 3;
    *static_cast<int*>(pinned.get()) = 1;
    gpu::check(
        cudaMemcpyAsync(y.get(), pinned.get(), sizeof(int), cudaMemcpyHostToDevice, stream.get()),
        "copying");
    *static_cast<int*>(pinned.get()) = 2;
    stream.synchronize();
    EXPECT_EQ(y.read().front(), 2) << "read when the stream came to it";
    gpu::check(
        cudaMemcpyAsync(y.get(), &pageable, sizeof(int), cudaMemcpyHostToDevice, stream.get()),
        "copying");
    pageable = 4;
    stream.synchronize();
    EXPECT_EQ(y.read().front(), 3) << "read at once";
}

__global__ void addOne(int* y) { atomicAdd(y, 1); }

TEST(SimtStream, AGraphRepeatsWhatWasCaptured) {
    const gpu::Stream stream;
    const Array<int> y(1);
    gpu::check(cudaMemset(y.get(), 0, sizeof(int)), "clearing");
    gpu::check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeGlobal), "capturing");
    launch(stream.get(), addOne, 2, 32, 0, y.get());
    cudaGraph_t graph = nullptr;
    gpu::check(cudaStreamEndCapture(stream.get(), &graph), "capturing");
    EXPECT_EQ(y.read().front(), 0);
    cudaGraphExec_t executable = nullptr;
    gpu::check(cudaGraphInstantiate(&executable, graph), "instantiating");
    for (int i = 0; i < 3; ++i) gpu::check(cudaGraphLaunch(executable, stream.get()), "launching");
    stream.synchronize();
    EXPECT_EQ(y.read().front(), 3 * 64);
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
}

TEST(SimtStream, WhatACaptureDoesNotSurvive) {
    const gpu::Stream stream;
    const Array<int> y(1);
    const auto broken = [&](auto call) {
        gpu::check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
                   "capturing");
        launch(stream.get(), addOne, 2, 32, 0, y.get());
        EXPECT_EQ(call(), cudaErrorStreamCaptureUnsupported);
        cudaGraph_t graph = nullptr;
        EXPECT_EQ(cudaStreamEndCapture(stream.get(), &graph), cudaErrorStreamCaptureInvalidated);
        EXPECT_EQ(graph, nullptr);
        cudaGetLastError();
    };
    void* memory = nullptr;
    broken([&] { return cudaStreamSynchronize(stream.get()); });
    broken([&] { return cudaMalloc(&memory, 8); });
    broken([&] { return cudaFree(y.get()); });
    broken([&] {
        int value = 0;
        return cudaMemcpyAsync(&value, y.get(), sizeof value, cudaMemcpyDeviceToHost, stream.get());
    });
}

TEST(SimtStream, AGraphTakesOtherArgumentsAndNoOtherShape) {
    const gpu::Stream stream;
    const Array<int> y(2);
    const auto captured = [&](int* into, int kernels) {
        gpu::check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
                   "capturing");
        gpu::check(cudaMemsetAsync(into, 0, sizeof(int), stream.get()), "clearing");
        for (int i = 0; i < kernels; ++i) launch(stream.get(), addOne, 1, 32, 0, into);
        cudaGraph_t graph = nullptr;
        gpu::check(cudaStreamEndCapture(stream.get(), &graph), "capturing");
        return graph;
    };
    cudaGraph_t graphs[] = {captured(y.get(), 1), captured(y.get() + 1, 1), captured(y.get(), 2)};
    cudaGraphExec_t executable = nullptr;
    cudaGraphExecUpdateResultInfo info{};
    gpu::check(cudaGraphInstantiate(&executable, graphs[0]), "instantiating");
    gpu::check(cudaGraphLaunch(executable, stream.get()), "launching");
    gpu::check(cudaGraphExecUpdate(executable, graphs[1], &info), "changing a graph");
    gpu::check(cudaGraphLaunch(executable, stream.get()), "launching");
    stream.synchronize();
    EXPECT_EQ(y.read(), (std::vector<int>{32, 32}));
    EXPECT_EQ(cudaGraphExecUpdate(executable, graphs[2], &info), cudaErrorGraphExecUpdateFailure);
    EXPECT_EQ(info.result, cudaGraphExecUpdateErrorTopologyChanged);
    cudaGetLastError();
    cudaGraphExecDestroy(executable);
    for (cudaGraph_t graph : graphs) cudaGraphDestroy(graph);
}

}  // namespace
