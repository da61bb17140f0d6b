// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/runtime.h"

#include "tests/gpu/simt/block.h"
#include "tests/gpu/simt/runtime_api.h"
#include "tests/gpu/simt/symbol.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace {

constexpr std::size_t kMostWaiting = 256;  ///< a device's queue has an end, too
constexpr std::size_t kDefaultSharedBytes = 48 << 10;
constexpr std::size_t kMostSharedBytes = 99
                                         << 10;  ///< of compute capability 8.6, the least of ours

struct Device {
    std::size_t totalBytes = std::size_t{64} << 30;
    std::size_t usedBytes = 0;
    std::map<void*, std::size_t> memory;
    std::map<const void*, std::size_t> pinned;
    std::map<const void*, std::size_t> sharedBytes;
    std::set<simt::Stream*> streams;
    cudaError_t lost = cudaSuccess;
    std::uint64_t kernelsLeft = 0;  ///< until it is lost by `fault`
    cudaError_t fault = cudaSuccess;
    cudaError_t last = cudaSuccess;
};

Device& device() {
    static Device instance;
    return instance;
}

simt::Stream& streamOf(cudaStream_t stream) {
    static simt::Stream defaultStream;
    return stream != nullptr ? *stream : defaultStream;
}

cudaError_t result(cudaError_t status) {
    if (device().lost != cudaSuccess) status = device().lost;
    if (status != cudaSuccess) device().last = status;
    return status;
}

/// Runs what waits in a stream, until `isEnough`.
template <typename Enough>
void drainUntil(simt::Stream& stream, Enough isEnough) {
    try {
        while (!stream.waiting.empty() && !isEnough()) {
            const simt::Work work = std::move(stream.waiting.front());
            stream.waiting.pop_front();
            work();
        }
    } catch (...) {
        stream.waiting.clear();
        throw;
    }
}

void drain(simt::Stream& stream) {
    drainUntil(stream, [] { return false; });
}

/// What the driver does not do while this thread captures (its mode is ThreadLocal).
bool breaksCapture() {
    bool any = false;
    for (simt::Stream* stream : device().streams)
        if (stream->capture != nullptr) any = stream->capture->broken = true;
    return any;
}

/// Runs what lies before the event, as far as it is still waiting.
void drainTo(simt::Event& event) {
    if (event.stream != nullptr) drainUntil(*event.stream, [&] { return event.reached; });
}

void drainAll() {
    drain(streamOf(nullptr));
    for (simt::Stream* stream : device().streams) drain(*stream);
}

bool isPinned(const void* pointer) {
    const auto& pinned = device().pinned;
    auto after = pinned.upper_bound(pointer);
    if (after == pinned.begin()) return false;
    --after;
    return static_cast<const std::byte*>(pointer) <
           static_cast<const std::byte*>(after->first) + after->second;
}

}  // namespace

namespace simt {

void enqueue(Stream* stream, NodeKind kind, Work work) {
    Stream& queue = streamOf(stream);
    if (queue.capture != nullptr) {
        queue.capture->nodes.push_back({kind, std::move(work)});
        return;
    }
    queue.waiting.push_back(std::move(work));
    if (queue.waiting.size() > kMostWaiting) drain(queue);
}

void setDeviceMemory(std::size_t bytes) { device().totalBytes = bytes; }

void loseDevice(int error) {
    device().lost = static_cast<cudaError_t>(error);
    if (error == 0) device().last = cudaSuccess;
}

void loseDeviceAfter(std::uint64_t kernels, int error) {
    device().kernelsLeft = kernels;
    device().fault = static_cast<cudaError_t>(error);
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, Work thread) {
    const dim3 grid = config.gridDim;
    const dim3 block = config.blockDim;
    const std::size_t threads = std::size_t{block.x} * block.y * block.z;
    const auto allowed = device().sharedBytes.find(kernel);
    const std::size_t most =
        allowed == device().sharedBytes.end() ? kDefaultSharedBytes : allowed->second;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 ||
        grid.x > 2147483647U || threads == 0 || threads > 1024 || block.z > 64)
        return result(cudaErrorInvalidConfiguration);
    if (config.dynamicSmemBytes > most) return result(cudaErrorInvalidValue);
    if (device().fault != cudaSuccess && device().kernelsLeft-- == 0) loseDevice(device().fault);
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    enqueue(config.stream, NodeKind::Kernel,
            [kernel, grid, block, bytes = config.dynamicSmemBytes, body = std::move(thread)] {
                runGrid(kernel, grid, block, bytes, body);
            });
    return cudaSuccess;
}

cudaError_t allowSharedMemory(const void* kernel, std::size_t bytes) {
    if (bytes > kMostSharedBytes) return result(cudaErrorInvalidValue);
    device().sharedBytes[kernel] = std::max(bytes, kDefaultSharedBytes);
    return result(cudaSuccess);
}

const char* kernelName(const void* kernel) {
    static std::string name;
    name = symbolName(kernel);
    return name.c_str();
}

}  // namespace simt

const char* cudaGetErrorName(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return "cudaSuccess";
        case cudaErrorMemoryAllocation:
            return "cudaErrorMemoryAllocation";
        case cudaErrorIllegalAddress:
            return "cudaErrorIllegalAddress";
        case cudaErrorLaunchFailure:
            return "cudaErrorLaunchFailure";
        default:
            return "cudaError of the harness";
    }
}

const char* cudaGetErrorString(cudaError_t error) {
    switch (error) {
        case cudaSuccess:
            return "no error";
        case cudaErrorInvalidValue:
            return "invalid argument";
        case cudaErrorMemoryAllocation:
            return "out of memory";
        case cudaErrorInvalidConfiguration:
            return "invalid configuration argument";
        case cudaErrorInvalidDevice:
            return "invalid device ordinal";
        case cudaErrorIllegalAddress:
            return "an illegal memory access was encountered";
        case cudaErrorLaunchFailure:
            return "unspecified launch failure";
        case cudaErrorStreamCaptureUnsupported:
            return "operation not permitted when stream is capturing";
        case cudaErrorStreamCaptureInvalidated:
            return "operation failed due to a previous error during capture";
        case cudaErrorGraphExecUpdateFailure:
            return "the graph update was not performed";
        default:
            return "an error of the harness's device";
    }
}

cudaError_t cudaGetLastError() { return std::exchange(device().last, device().lost); }
cudaError_t cudaPeekAtLastError() { return device().last; }

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return result(cudaSuccess);
}

cudaError_t cudaSetDevice(int index) {
    return result(index == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int* index) {
    *index = 0;
    return result(cudaSuccess);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
    if (index != 0) return result(cudaErrorInvalidDevice);
    *properties = {"host SIMT harness", device().totalBytes, kMostSharedBytes, 8, 6, 4, 1024};
    return result(cudaSuccess);
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = 13000;
    return result(cudaSuccess);
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = 13000;
    return result(cudaSuccess);
}

cudaError_t cudaMemGetInfo(std::size_t* freeBytes, std::size_t* totalBytes) {
    *totalBytes = device().totalBytes;
    *freeBytes = device().totalBytes - std::min(device().totalBytes, device().usedBytes);
    return result(cudaSuccess);
}

cudaError_t cudaDeviceSynchronize() {
    if (breaksCapture()) return result(cudaErrorStreamCaptureUnsupported);
    drainAll();
    return result(cudaSuccess);
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
    constexpr std::size_t kAlignment = 256;
    Device& d = device();
    *pointer = nullptr;
    if (breaksCapture()) return result(cudaErrorStreamCaptureUnsupported);
    if (d.lost != cudaSuccess) return result(cudaSuccess);
    if (bytes > d.totalBytes - std::min(d.totalBytes, d.usedBytes))
        return result(cudaErrorMemoryAllocation);
    if (bytes == 0) return cudaSuccess;
    if (::posix_memalign(pointer, kAlignment, bytes) != 0) return result(cudaErrorMemoryAllocation);
    std::memset(*pointer, 0xFF, bytes);
    d.usedBytes += bytes;
    d.memory[*pointer] = bytes;
    return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
    if (breaksCapture()) return result(cudaErrorStreamCaptureUnsupported);
    drainAll();
    if (pointer == nullptr) return result(cudaSuccess);
    Device& d = device();
    const auto found = d.memory.find(pointer);
    if (found == d.memory.end()) return result(cudaErrorInvalidValue);
    d.usedBytes -= found->second;
    d.memory.erase(found);
    std::free(pointer);
    return result(cudaSuccess);
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
    if (breaksCapture()) return result(cudaErrorStreamCaptureUnsupported);
    *pointer = std::malloc(std::max<std::size_t>(bytes, 1));
    device().pinned[*pointer] = bytes;
    return result(cudaSuccess);
}

cudaError_t cudaFreeHost(void* pointer) {
    if (breaksCapture()) return result(cudaErrorStreamCaptureUnsupported);
    drainAll();
    device().pinned.erase(pointer);
    std::free(pointer);
    return result(cudaSuccess);
}

cudaError_t cudaMemcpy(void* into, const void* from, std::size_t bytes, cudaMemcpyKind) {
    drainAll();
    if (device().lost == cudaSuccess && bytes > 0) std::memmove(into, from, bytes);
    return result(cudaSuccess);
}

/// Pinned memory is read when the stream comes to it; pageable memory as the documentation says:
/// read at once on the way to the device, waited for on the way back.
cudaError_t cudaMemcpyAsync(void* into, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    if (bytes == 0) return cudaSuccess;
    const bool pageable = (kind == cudaMemcpyHostToDevice && !isPinned(from)) ||
                          (kind == cudaMemcpyDeviceToHost && !isPinned(into));
    if (pageable && streamOf(stream).capture != nullptr && breaksCapture())
        return result(cudaErrorStreamCaptureUnsupported);
    if (pageable && kind == cudaMemcpyHostToDevice) {
        const auto* const first = static_cast<const std::byte*>(from);
        simt::enqueue(stream, simt::NodeKind::Copy,
                      [into, kept = std::vector<std::byte>(first, first + bytes)] {
                          std::memcpy(into, kept.data(), kept.size());
                      });
        return cudaSuccess;
    }
    simt::enqueue(stream, simt::NodeKind::Copy,
                  [into, from, bytes] { std::memmove(into, from, bytes); });
    if (pageable) drain(streamOf(stream));
    return cudaSuccess;
}

cudaError_t cudaMemset(void* into, int value, std::size_t bytes) {
    return cudaMemsetAsync(into, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* into, int value, std::size_t bytes, cudaStream_t stream) {
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    if (bytes > 0)
        simt::enqueue(stream, simt::NodeKind::Set,
                      [into, value, bytes] { std::memset(into, value, bytes); });
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new simt::Stream;
    device().streams.insert(*stream);
    return result(cudaSuccess);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    if (device().lost == cudaSuccess) drain(streamOf(stream));
    device().streams.erase(stream);
    delete stream;
    return result(cudaSuccess);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (streamOf(stream).capture != nullptr && breaksCapture())
        return result(cudaErrorStreamCaptureUnsupported);
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    drain(streamOf(stream));
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t event, unsigned) {
    drainTo(*event);
    return result(cudaSuccess);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    stream->capture = new simt::Graph;
    return result(cudaSuccess);
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    *graph = std::exchange(stream->capture, nullptr);
    if (!(*graph)->broken) return result(cudaSuccess);
    delete std::exchange(*graph, nullptr);
    return result(cudaErrorStreamCaptureInvalidated);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
    *status = streamOf(stream).capture != nullptr ? cudaStreamCaptureStatusActive
                                                  : cudaStreamCaptureStatusNone;
    return result(cudaSuccess);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
    *executable = new simt::Graph(*graph);
    return result(cudaSuccess);
}

/// As the documentation says: arguments and functions of nodes may be others, their kinds and order
/// not.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* info) {
    const bool alike = std::equal(
        executable->nodes.begin(), executable->nodes.end(), graph->nodes.begin(),
        graph->nodes.end(),
        [](const simt::Graph::Node& a, const simt::Graph::Node& b) { return a.kind == b.kind; });
    info->result = alike ? cudaGraphExecUpdateSuccess : cudaGraphExecUpdateErrorTopologyChanged;
    if (!alike) return result(cudaErrorGraphExecUpdateFailure);
    executable->nodes = graph->nodes;
    return result(cudaSuccess);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    for (const simt::Graph::Node& node : executable->nodes)
        simt::enqueue(stream, node.kind, node.work);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return result(cudaSuccess);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    drainAll();
    delete executable;
    return result(cudaSuccess);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = new simt::Event;
    return result(cudaSuccess);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    drainTo(*event);
    delete event;
    return result(cudaSuccess);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    const std::uint64_t record = ++event->records;
    event->reached = false;
    event->stream = &streamOf(stream);
    simt::enqueue(stream, simt::NodeKind::Event,
                  [event, record] { event->reached = record == event->records; });
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    drainTo(*event);
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    if (device().lost != cudaSuccess) return result(cudaSuccess);
    return event->reached ? cudaSuccess : cudaErrorNotReady;
}
