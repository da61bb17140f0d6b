// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"

#include "core/base/error.h"

#include <algorithm>

namespace gpu {
namespace {

/// The device is made current before the members that need one.
int madeCurrent(int device) {
    check(cudaSetDevice(device), "creating a context");
    return device;
}

}  // namespace

CudaBackend::CudaBackend(int device)
    : device_(madeCurrent(device)),
      pool_(std::make_shared<MemoryPool>()),
      staging_(stream_),
      besideStaging_(besideStream_),
      indices_(stream_),
      badIndex_(sizeof(BadIndex)),
      readbacks_(stream_, indices_),
      sections_(stream_, *pool_, staging_),
      blas_(stream_.get()) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "reading the device's properties");
    multiprocessors_ = properties.multiProcessorCount;
    deviceName_ = static_cast<const char*>(properties.name);
}

CudaBackend::~CudaBackend() = default;

std::string CudaBackend::name() const { return "cuda:" + std::to_string(device_); }

std::string CudaBackend::description() const {
    return deviceName_ + ", " + std::to_string(multiprocessors_) + " multiprocessors, " +
           Blas::library();
}

std::shared_ptr<core::Buffer> CudaBackend::allocate(std::size_t bytes) {
    return pool_->allocate(bytes);
}

void CudaBackend::upload(Out device, const Tensor& host) {
    CORE_CHECK(host.onHost() && !device.onHost() && host.dtype() == device.dtype() &&
                   host.bytes() == device.bytes(),
               "a host tensor like " + device.describe() + ", found " + host.describe());
    staging_.copy(device.raw(), host.raw(), host.bytes());
}

void CudaBackend::download(Out host, const Tensor& device) {
    CORE_CHECK(host.onHost() && !device.onHost() && host.dtype() == device.dtype() &&
                   host.bytes() == device.bytes(),
               "a host tensor like " + device.describe() + ", found " + host.describe());
    CORE_CHECK(!sections_.capturing(), "nothing for the host in a capture");
    if (host.bytes() > 0)
        check(cudaMemcpyAsync(host.raw(), device.raw(), host.bytes(), cudaMemcpyDeviceToHost,
                              stream()),
              "copying from the device");
    wait();
}

void CudaBackend::synchronize() { wait(); }

std::unique_ptr<core::Readback> CudaBackend::readBack(const Tensor& device) {
    CORE_CHECK(!device.onHost(), "a tensor of the device, found " + device.describe());
    CORE_CHECK(!sections_.capturing(), "nothing for the host in a capture");
    return readbacks_.start(device);
}

void CudaBackend::uploadBeside(std::span<const core::HostCopy> uploads) {
    CORE_CHECK(!sections_.capturing(), "uploads before the capture");
    besideBefore_.holdBack(besideStream_);
    besideBefore_.record(stream_);
    for (const auto& [device, host] : uploads) {
        CORE_CHECK(host.onHost() && !device.onHost() && host.dtype() == device.dtype() &&
                       host.bytes() == device.bytes(),
                   "a host tensor like " + device.describe() + ", found " + host.describe());
        besideStaging_.copy(device.raw(), host.raw(), host.bytes());
    }
    besideDone_.record(besideStream_);
    besideDone_.holdBack(stream_);
}

void CudaBackend::section(std::uint64_t key, const std::function<void()>& body) {
    sections_.run(key, body);
}

void CudaBackend::wait() {
    CORE_CHECK(!sections_.capturing(), "nothing for the host in a capture");
    auto* const bad = static_cast<BadIndex*>(badIndex_.get());
    indices_.copyTo(bad);
    stream_.synchronize();
    indices_.raise(*bad);
}

void* CudaBackend::scratch(std::size_t bytes) {
    constexpr std::size_t kLeast = std::size_t{1} << 20;
    if (scratch_.bytes() < bytes) {
        CORE_CHECK(!sections_.capturing(), "scratch memory that was asked for before the capture");
        scratch_ = DeviceMemory();
        scratch_ = DeviceMemory(std::max(kLeast, bytes + bytes / 4));
    }
    return scratch_.get();
}

std::unique_ptr<core::Backend> makeCudaBackend(int device) {
    return std::make_unique<CudaBackend>(device);
}

}  // namespace gpu
