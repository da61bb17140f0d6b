// SPDX-License-Identifier: Apache-2.0
#include "gpu/column_sums.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"

namespace gpu {
namespace {

template <typename T, int N>
__global__ void scaleToUnit(T* y, float* rstd, const T* x, const float* gamma, std::int64_t rows,
                            std::int64_t columns, float epsilon) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    x += row * columns;
    y += row * columns;
    float squares = 0.0F;
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) squares += v.at[i] * v.at[i];
    });
    const float inverse = 1.0F / sqrtf(warpSum(squares) / static_cast<float>(columns) + epsilon);
    forLanePacks<N>(columns, [&](std::int64_t c) {
        auto v = loadFloats<N>(x + c);
        const auto g = loadFloats<N>(gamma + c);
        for (int i = 0; i < N; ++i) v.at[i] = v.at[i] * inverse * g.at[i];
        storeFloats(y + c, v);
    });
    if (laneRank() == 0) rstd[row] = inverse;
}

template <typename T, int N>
__global__ void scaleToUnitBackward(T* dx, const T* dy, const T* x, const float* rstd,
                                    const float* gamma, std::int64_t rows, std::int64_t columns) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    x += row * columns;
    dy += row * columns;
    dx += row * columns;
    const float inverse = rstd[row];
    float inner = 0.0F;
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        const auto slope = loadFloats<N>(dy + c);
        const auto scale = loadFloats<N>(gamma + c);
        for (int i = 0; i < N; ++i) inner += slope.at[i] * scale.at[i] * v.at[i];
    });
    const float lean = warpSum(inner) * inverse * inverse / static_cast<float>(columns);
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        const auto scale = loadFloats<N>(gamma + c);
        auto slope = loadFloats<N>(dy + c);
        for (int i = 0; i < N; ++i)
            slope.at[i] = (slope.at[i] * scale.at[i] - v.at[i] * lean) * inverse;
        storeFloats(dx + c, slope);
    });
}

/// What a row gives to dGamma.
template <typename T>
struct ScaleTerm {
    static constexpr int kSums = 1;
    const T* dy;
    const T* x;
    const float* rstd;
    std::int64_t columns;

    __device__ void add(float (&sums)[1], std::int64_t row, std::int64_t column) const {
        sums[0] +=
            toFloat(dy[row * columns + column]) * (toFloat(x[row * columns + column]) * rstd[row]);
    }
};

}  // namespace

void CudaBackend::rmsNormForward(core::Out y, core::Out rstd, const core::Tensor& x,
                                 const core::Tensor& gamma, float epsilon) {
    const std::int64_t rows = x.size(0);
    const std::int64_t columns = x.size(1);
    if (rows == 0) return;
    withPacks(x.dtype(), columns, {&y, &x, &gamma}, [&]<typename T, int N>() {
        launch(stream(), scaleToUnit<T, N>, warpsFor(rows), dim3(kBlock), 0, data<T>(y),
               data<float>(rstd), data<T>(x), data<float>(gamma), rows, columns, epsilon);
    });
}

void CudaBackend::rmsNormBackward(core::Out dx, core::InOut dGamma, const core::Tensor& dy,
                                  const core::Tensor& x, const core::Tensor& rstd,
                                  const core::Tensor& gamma) {
    const std::int64_t rows = x.size(0);
    const std::int64_t columns = x.size(1);
    if (rows == 0) return;
    withPacks(x.dtype(), columns, {&dx, &dy, &x, &gamma}, [&]<typename T, int N>() {
        const TermSums all{rows, columns};
        // The parameters first: dx may be dy.
        float* const sums[1] = {data<float>(dGamma)};
        all.add(stream(), sums, scratchOf<float>(all.floats(1)),
                ScaleTerm<T>{data<T>(dy), data<T>(x), data<float>(rstd), columns});
        launch(stream(), scaleToUnitBackward<T, N>, warpsFor(rows), dim3(kBlock), 0, data<T>(dx),
               data<T>(dy), data<T>(x), data<float>(rstd), data<float>(gamma), rows, columns);
    });
}

}  // namespace gpu
