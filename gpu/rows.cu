// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

template <typename T>
__global__ void takeFirstRows(T* y, const T* x, std::int64_t batch, std::int64_t rows,
                              std::int64_t width) {
    const std::int64_t i = threadElement();
    if (i < batch * width) y[i] = x[i / width * rows * width + i % width];
}

template <typename T>
__global__ void putFirstRows(T* dx, const T* dy, std::int64_t batch, std::int64_t rows,
                             std::int64_t width) {
    const std::int64_t i = threadElement();
    if (i >= batch * rows * width) return;
    const std::int64_t inside = i % (rows * width);
    dx[i] = inside < width ? dy[i / (rows * width) * width + inside] : fromFloat<T>(0.0F);
}

}  // namespace

void CudaBackend::firstRowsForward(core::Out y, const core::Tensor& x) {
    if (y.elements() == 0) return;
    withType(x.dtype(), [&]<typename T>() {
        launch(stream(), takeFirstRows<T>, blocksFor(y.elements()), dim3(kBlock), 0, data<T>(y),
               data<T>(x), x.size(0), x.size(1), x.size(2));
    });
}

void CudaBackend::firstRowsBackward(core::Out dx, const core::Tensor& dy) {
    if (dx.elements() == 0) return;
    withType(dx.dtype(), [&]<typename T>() {
        launch(stream(), putFirstRows<T>, blocksFor(dx.elements()), dim3(kBlock), 0, data<T>(dx),
               data<T>(dy), dx.size(0), dx.size(1), dx.size(2));
    });
}

}  // namespace gpu
