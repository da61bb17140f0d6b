// SPDX-License-Identifier: Apache-2.0
#include "gpu/handles.h"

namespace gpu {

void check(cudaError_t status, const char* doing) {
    if (status != cudaSuccess)
        throw Failure{std::string(doing) + " failed: " + cudaGetErrorString(status)};
}

void check(cublasStatus_t status, const char* doing) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw Failure{std::string(doing) + " failed: " + cublasGetStatusString(status)};
}

DeviceMemory::DeviceMemory(std::size_t bytes) {
    check(cudaMalloc(&data_, bytes), "allocating device memory");
}

DeviceMemory::~DeviceMemory() { cudaFree(data_); }

BlasHandle::BlasHandle() { check(cublasCreate(&handle_), "starting cuBLAS"); }

BlasHandle::~BlasHandle() { cublasDestroy(handle_); }

}  // namespace gpu
