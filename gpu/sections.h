// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/handles.h"
#include "gpu/memory_pool.h"
#include "gpu/staging.h"

#include <cuda_runtime.h>

#include <cstdint>
#include <functional>
#include <map>

namespace gpu {

/// An executable CUDA graph.
class Graph {
  public:
    Graph() = default;
    ~Graph();
    Graph(Graph&& other) noexcept;
    Graph& operator=(Graph&& other) noexcept;

    /// Makes it do what was captured: changes the arguments of its kernels where they are as many
    /// in the same order, else builds it anew. Whether it could be changed.
    bool become(cudaGraph_t captured);
    void launch(const Stream& stream) const;

  private:
    cudaGraphExec_t executable_ = nullptr;
};

/// Stretches of work that are captured and started as one CUDA graph. A stretch is captured every
/// time, because arguments change (learning rate, dropout's keys, places of tensors); what stays is
/// the executable graph, whose update and launch cost less than a launch per kernel.
///
/// The first run of a key is not captured: it brings kernels, memory and cuBLASLt's choices. Nor is
/// a run that needs the host or new memory: it fails while it is captured, before anything has
/// begun, and starts again without. A key that fails twice in a row is not tried any more, nor is
/// one whose graph had to be built anew many times in a row, which costs more than it saves.
class Sections {
  public:
    Sections(const Stream& stream, MemoryPool& pool, Staging& staging)
        : stream_(stream), pool_(pool), staging_(staging) {}

    void run(std::uint64_t key, const std::function<void()>& body);
    bool capturing() const noexcept { return capturing_; }
    /// Graphs launched so far.
    std::int64_t launched() const noexcept { return launched_; }

  private:
    struct Known {
        Graph graph;
        int failures = 0;  ///< in a row
        int rebuilds = 0;  ///< likewise
    };
    bool runCaptured(Known& known, const std::function<void()>& body);

    const Stream& stream_;
    MemoryPool& pool_;
    Staging& staging_;
    std::map<std::uint64_t, Known> known_;
    bool capturing_ = false;
    std::int64_t launched_ = 0;
};

}  // namespace gpu
