// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/convert.cuh"
#include "gpu/launch.h"
#include "gpu/tensors.h"

namespace gpu {
namespace {

template <typename T>
__global__ void fillKernel(T* y, T value, std::int64_t n) {
    const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
        y[i] = value;
}

template <typename To, typename From>
__global__ void convertKernel(To* y, const From* x, std::int64_t n) {
    const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step)
        y[i] = fromFloat<To>(toFloat(x[i]));
}

template <typename T>
void fillWith(cudaStream_t stream, T* y, T value, std::int64_t n) {
    launch(stream, fillKernel<T>, elementBlocks(n), kElementThreads, 0, y, value, n);
}

}  // namespace

void CudaBackend::fill(Out y, float value) {
    if (y.dtype() == core::DType::I32)
        fillWith(stream(), data<std::int32_t>(y), static_cast<std::int32_t>(value), y.elements());
    else if (y.dtype() == core::DType::BF16)
        fillWith(stream(), data<__nv_bfloat16>(y), __float2bfloat16(value), y.elements());
    else
        fillWith(stream(), data<float>(y), value, y.elements());
}

void CudaBackend::copy(Out y, const Tensor& x) {
    const std::int64_t n = x.elements();
    if (y.dtype() == x.dtype()) {
        if (n > 0 && y.raw() != x.raw())
            check(cudaMemcpyAsync(y.raw(), x.raw(), x.bytes(), cudaMemcpyDeviceToDevice, stream()),
                  "copying on the device");
    } else if (y.dtype() == core::DType::BF16) {
        launch(stream(), convertKernel<__nv_bfloat16, float>, elementBlocks(n), kElementThreads, 0,
               data<__nv_bfloat16>(y), data<float>(x), n);
    } else {
        launch(stream(), convertKernel<float, __nv_bfloat16>, elementBlocks(n), kElementThreads, 0,
               data<float>(y), data<__nv_bfloat16>(x), n);
    }
}

}  // namespace gpu
