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
    fetchBytes(host.raw(), device.raw(), device.bytes());
}

void CudaBackend::synchronize() { stream_.synchronize(); }

void CudaBackend::fetchBytes(void* into, const void* device, std::size_t bytes) {
    if (bytes > 0)
        check(cudaMemcpyAsync(into, device, bytes, cudaMemcpyDeviceToHost, stream()),
              "copying from the device");
    stream_.synchronize();
}

void* CudaBackend::scratch(std::size_t bytes) {
    constexpr std::size_t kLeast = std::size_t{1} << 20;
    if (scratch_.bytes() < bytes) {
        CORE_CHECK(!stream_.capturing(), "scratch memory that was asked for before the capture");
        scratch_ = DeviceMemory();
        scratch_ = DeviceMemory(std::max(kLeast, bytes + bytes / 4));
    }
    return scratch_.get();
}

std::unique_ptr<core::Backend> makeCudaBackend(int device) {
    return std::make_unique<CudaBackend>(device);
}

}  // namespace gpu
