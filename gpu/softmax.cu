// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

__global__ void softmaxRows(float* y, const float* x, std::int64_t rows, std::int64_t columns) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    x += row * columns;
    y += row * columns;
    float most = -INFINITY;
    forLanePacks<1>(columns, [&](std::int64_t c) { most = fmaxf(most, x[c]); });
    most = warpMax(most);
    float total = 0.0F;
    forLanePacks<1>(columns, [&](std::int64_t c) { total += expf(x[c] - most); });
    const float inverse = 1.0F / warpSum(total);
    forLanePacks<1>(columns, [&](std::int64_t c) { y[c] = expf(x[c] - most) * inverse; });
}

__global__ void softmaxRowsBackward(float* dx, const float* dy, const float* y, std::int64_t rows,
                                    std::int64_t columns) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    dx += row * columns;
    dy += row * columns;
    y += row * columns;
    float inner = 0.0F;
    forLanePacks<1>(columns, [&](std::int64_t c) { inner += dy[c] * y[c]; });
    inner = warpSum(inner);
    forLanePacks<1>(columns, [&](std::int64_t c) { dx[c] = y[c] * (dy[c] - inner); });
}

}  // namespace

void CudaBackend::softmaxForward(core::Out y, const core::Tensor& x) {
    if (x.size(0) == 0) return;
    launch(stream(), softmaxRows, warpsFor(x.size(0)), dim3(kBlock), 0, data<float>(y),
           data<float>(x), x.size(0), x.size(1));
}

void CudaBackend::softmaxBackward(core::Out dx, const core::Tensor& dy, const core::Tensor& y) {
    if (y.size(0) == 0) return;
    launch(stream(), softmaxRowsBackward, warpsFor(y.size(0)), dim3(kBlock), 0, data<float>(dx),
           data<float>(dy), data<float>(y), y.size(0), y.size(1));
}

}  // namespace gpu
