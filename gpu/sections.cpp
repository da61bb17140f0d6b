// SPDX-License-Identifier: Apache-2.0
#include "gpu/sections.h"

#include "core/base/error.h"

#include <utility>

namespace gpu {
namespace {

constexpr int kMostFailures = 2;
constexpr int kMostRebuilds = 8;

/// A capture in progress; without `end` it is thrown away.
class Capture {
  public:
    explicit Capture(const Stream& stream) : stream_(stream) {
        // What would break a capture on this thread is an error there and then.
        check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
              "capturing a stream");
    }
    ~Capture() {
        if (isOpen_) cudaStreamEndCapture(stream_.get(), &graph_);
        if (graph_ != nullptr) cudaGraphDestroy(graph_);
        cudaGetLastError();
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    cudaGraph_t end() {
        isOpen_ = false;
        check(cudaStreamEndCapture(stream_.get(), &graph_), "capturing a stream");
        return graph_;
    }

  private:
    const Stream& stream_;
    cudaGraph_t graph_ = nullptr;
    bool isOpen_ = true;
};

}  // namespace

Graph::~Graph() {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
}

Graph::Graph(Graph&& other) noexcept : executable_(std::exchange(other.executable_, nullptr)) {}

Graph& Graph::operator=(Graph&& other) noexcept {
    std::swap(executable_, other.executable_);
    return *this;
}

bool Graph::become(cudaGraph_t captured) {
    if (executable_ != nullptr) {
        cudaGraphExecUpdateResultInfo info{};
        if (cudaGraphExecUpdate(executable_, captured, &info) == cudaSuccess) return true;
        cudaGetLastError();
        cudaGraphExecDestroy(std::exchange(executable_, nullptr));
    }
    check(cudaGraphInstantiate(&executable_, captured, 0), "building a graph");
    return false;
}

void Graph::launch(const Stream& stream) const {
    check(cudaGraphLaunch(executable_, stream.get()), "starting a graph");
}

void Sections::run(std::uint64_t key, const std::function<void()>& body) {
    CORE_CHECK(!capturing_, "one section after the other");
    const auto [place, isFirst] = known_.try_emplace(key);
    Known& known = place->second;
    if (!isFirst && known.failures < kMostFailures && known.rebuilds < kMostRebuilds) {
        const bool done = runCaptured(known, body);
        pool_.trim();
        known.failures = done ? 0 : known.failures + 1;
        if (done) return;
    }
    body();
}

bool Sections::runCaptured(Known& known, const std::function<void()>& body) {
    const auto setCapturing = [this](bool on) {
        capturing_ = on;
        pool_.setCapturing(on);
        staging_.setCapturing(on);
    };
    staging_.prepareCapture();
    Capture capture(stream_);
    try {
        setCapturing(true);
        body();
        known.rebuilds = known.graph.become(capture.end()) ? 0 : known.rebuilds + 1;
    } catch (...) {
        // Nothing has run. Whatever it was happens again, and is told, without the capture.
        setCapturing(false);
        return false;
    }
    setCapturing(false);
    known.graph.launch(stream_);
    staging_.finishCapture();
    ++launched_;
    return true;
}

}  // namespace gpu
