// SPDX-License-Identifier: Apache-2.0
#include "gpu/handles.h"

#include "core/base/error.h"

#include <string>
#include <utility>

namespace gpu {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;

std::string mebibytes(std::size_t bytes) {
    return std::to_string(static_cast<long long>(static_cast<double>(bytes) / kMebibyte)) + " MiB";
}

[[noreturn]] void outOfMemory(std::size_t bytes) {
    std::size_t freeBytes = 0;
    std::size_t totalBytes = 0;
    std::string message = "the device has no " + mebibytes(bytes) + " of memory left";
    if (cudaMemGetInfo(&freeBytes, &totalBytes) == cudaSuccess)
        message += " (" + mebibytes(freeBytes) + " of " + mebibytes(totalBytes) + " are free)";
    throw core::Error(core::ErrorKind::OutOfMemory, message,
                      "use a smaller microbatch, bf16 or another device");
}

}  // namespace

void check(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // what is not the device's end is forgotten
    if (status == cudaErrorMemoryAllocation)
        throw core::Error(core::ErrorKind::OutOfMemory,
                          std::string(doing) + " failed: the device is out of memory",
                          "use a smaller microbatch, bf16 or another device");
    throw core::Error(core::ErrorKind::Device,
                      std::string(doing) + " failed: " + cudaGetErrorString(status),
                      "see `upcycle devices`; after a fault of the device a new process is needed");
}

DeviceMemory::DeviceMemory(std::size_t bytes) : bytes_(bytes) {
    const cudaError_t status = cudaMalloc(&data_, bytes);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        outOfMemory(bytes);
    }
    check(status, "allocating device memory");
}

DeviceMemory::~DeviceMemory() {
    if (data_ != nullptr) cudaFree(data_);
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

void* DeviceMemory::letGo() noexcept {
    bytes_ = 0;
    return std::exchange(data_, nullptr);
}

PinnedMemory::PinnedMemory(std::size_t bytes) : bytes_(bytes) {
    check(cudaMallocHost(&data_, bytes), "allocating page-locked memory");
}

PinnedMemory::~PinnedMemory() {
    if (data_ != nullptr) cudaFreeHost(data_);
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

Stream::Stream() {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}

Stream::~Stream() { cudaStreamDestroy(stream_); }

void Stream::synchronize() const {
    check(cudaStreamSynchronize(stream_), "waiting for the device");
}

Event::Event() {
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "making an event");
}

Event::~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
}

Event::Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}

Event& Event::operator=(Event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
}

void Event::record(const Stream& stream) {
    check(cudaEventRecord(event_, stream.get()), "recording an event");
}

void Event::holdBack(const Stream& stream) const {
    check(cudaStreamWaitEvent(stream.get(), event_, 0), "making a stream wait");
}

bool Event::isReached() const {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) {
        cudaGetLastError();
        return false;
    }
    check(status, "asking an event");
    return true;
}

void Event::wait() const { check(cudaEventSynchronize(event_), "waiting for an event"); }

}  // namespace gpu
