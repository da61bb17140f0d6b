// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <string>

namespace gpu {

/// A failed CUDA or cuBLAS call, in words.
struct Failure {
    std::string text;
};

/// Throws Failure "<doing> failed: <the library's text>".
void check(cudaError_t status, const char* doing);
void check(cublasStatus_t status, const char* doing);

/// Device memory, freed on destruction; uninitialised.
class DeviceMemory {
  public:
    explicit DeviceMemory(std::size_t bytes);
    ~DeviceMemory();
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;
    void* get() const noexcept { return data_; }

  private:
    void* data_ = nullptr;
};

/// A cuBLAS handle on the current device.
class BlasHandle {
  public:
    BlasHandle();
    ~BlasHandle();
    BlasHandle(const BlasHandle&) = delete;
    BlasHandle& operator=(const BlasHandle&) = delete;
    cublasHandle_t get() const noexcept { return handle_; }

  private:
    cublasHandle_t handle_ = nullptr;
};

}  // namespace gpu
