// SPDX-License-Identifier: Apache-2.0
#include "gpu/device/fill_ramp.cuh"
#include "gpu/handles.h"
#include "gpu/plugin.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace gpu {
namespace {

constexpr int kSide = 64;

/// c = a * a for a ramp matrix made by our own kernel, against the same product in double on the
/// host.
std::string proveProduct() {
    const std::size_t bytes = sizeof(float) * kSide * kSide;
    const DeviceMemory a(bytes);
    const DeviceMemory c(bytes);
    fillRamp<<<(kSide * kSide + 127) / 128, 128>>>(static_cast<float*>(a.get()), kSide * kSide);
    check(cudaGetLastError(),
          "launching a kernel (this build may lack machine code for the device)");
    const BlasHandle blas;
    const float one = 1.0F;
    const float zero = 0.0F;
    check(cublasSgemm(blas.get(), CUBLAS_OP_N, CUBLAS_OP_N, kSide, kSide, kSide, &one,
                      static_cast<const float*>(a.get()), kSide, static_cast<const float*>(a.get()),
                      kSide, &zero, static_cast<float*>(c.get()), kSide),
          "a cuBLAS product");
    std::vector<float> result(kSide * kSide);
    check(cudaMemcpy(result.data(), c.get(), bytes, cudaMemcpyDeviceToHost),
          "copying the product back");
    for (int row = 0; row < kSide; ++row) {
        for (int column = 0; column < kSide; ++column) {
            double expected = 0;
            for (int k = 0; k < kSide; ++k)
                expected += static_cast<double>(rampValue(k * kSide + row)) *
                            static_cast<double>(rampValue(column * kSide + k));
            const auto found =
                static_cast<double>(result[static_cast<std::size_t>(column * kSide + row)]);
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
        std::snprintf(device.name, sizeof device.name, "%s", properties.name);
        device.computeMajor = properties.major;
        device.computeMinor = properties.minor;
        check(cudaSetDevice(index), "creating a context");
        std::size_t freeBytes = 0;
        std::size_t totalBytes = 0;
        check(cudaMemGetInfo(&freeBytes, &totalBytes), "asking the free memory");
        device.freeBytes = freeBytes;
        device.totalBytes = totalBytes;
        reason = proveProduct();
    } catch (const Failure& failure) {
        reason = failure.text;
    }
    std::snprintf(device.reason, sizeof device.reason, "%s", reason.c_str());
    device.usable = reason.empty() ? 1 : 0;
    return device;
}

}  // namespace
}  // namespace gpu

int32_t upcycleCudaAbi(void) { return kUpcycleCudaAbi; }

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
