// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "gpu/blas.h"
#include "gpu/device/fill_ramp.cuh"
#include "gpu/handles.h"
#include "gpu/launch.h"
#include "gpu/plugin.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace gpu {
namespace {

constexpr int kSide = 64;

__global__ void fillRamp(float* values, int count) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < count) values[i] = rampValue(i);
}

/// c = a * a for a ramp matrix made by our own kernel, against the same product in double on the
/// host; what is wrong, in words.
std::string proveProduct() {
    const std::size_t bytes = sizeof(float) * kSide * kSide;
    const DeviceMemory a(bytes);
    const DeviceMemory c(bytes);
    const Stream stream;
    launch(stream.get(), fillRamp, dim3(kSide * kSide / 128), dim3(128), 0,
           static_cast<float*>(a.get()), kSide * kSide);
    Blas blas(stream.get());
    ProductArgs product;
    product.m = product.n = product.k = kSide;
    product.a = product.b = a.get();
    product.c = c.get();
    blas.product(product);
    std::vector<float> result(kSide * kSide);
    check(cudaMemcpyAsync(result.data(), c.get(), bytes, cudaMemcpyDeviceToHost, stream.get()),
          "copying the product back");
    stream.synchronize();
    for (int row = 0; row < kSide; ++row) {
        for (int column = 0; column < kSide; ++column) {
            double expected = 0;
            for (int k = 0; k < kSide; ++k)
                expected += static_cast<double>(rampValue(row * kSide + k)) *
                            static_cast<double>(rampValue(k * kSide + column));
            const auto found =
                static_cast<double>(result[static_cast<std::size_t>(row * kSide + column)]);
            if (!(std::abs(found - expected) <= 1e-2 * std::max(1.0, std::abs(expected))))
                return "the proof product is wrong: expected " + std::to_string(expected) +
                       ", found " + std::to_string(found);
        }
    }
    return {};
}

UpcycleCudaDevice probe(int index) {
    UpcycleCudaDevice device{};
    cudaDeviceProp properties{};
    std::string reason;
    try {
        check(cudaGetDeviceProperties(&properties, index), "reading the device's properties");
        std::snprintf(device.name, sizeof device.name, "%s",
                      static_cast<const char*>(properties.name));
        device.computeMajor = properties.major;
        device.computeMinor = properties.minor;
        check(cudaSetDevice(index), "creating a context");
        std::size_t freeBytes = 0;
        std::size_t totalBytes = 0;
        check(cudaMemGetInfo(&freeBytes, &totalBytes), "asking the free memory");
        device.freeBytes = freeBytes;
        device.totalBytes = totalBytes;
        reason = proveProduct();
    } catch (const std::exception& problem) {
        reason = problem.what();
    }
    std::snprintf(device.reason, sizeof device.reason, "%s", reason.c_str());
    device.usable = reason.empty() ? 1 : 0;
    return device;
}

}  // namespace
}  // namespace gpu

int32_t upcycleCudaProbe(UpcycleCudaDevice* devices, int32_t capacity, char* error,
                         int32_t errorBytes) {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorNoDevice) return 0;
    if (status != cudaSuccess) {
        std::snprintf(error, static_cast<std::size_t>(errorBytes), "%s",
                      cudaGetErrorString(status));
        return -1;
    }
    for (int i = 0; i < std::min(count, capacity); ++i) devices[i] = gpu::probe(i);
    return count;
}
