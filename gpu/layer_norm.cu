// SPDX-License-Identifier: Apache-2.0
#include "gpu/column_sums.h"
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"

namespace gpu {
namespace {

/// A warp a row: the mean first, then the squares of the differences from it.
template <typename T, int N>
__global__ void normalise(T* y, float* mean, float* rstd, const T* x, const float* gamma,
                          const float* beta, std::int64_t rows, std::int64_t columns,
                          float epsilon) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    x += row * columns;
    y += row * columns;
    const float count = static_cast<float>(columns);
    float total = 0.0F;
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) total += v.at[i];
    });
    const float middle = warpSum(total) / count;
    float squares = 0.0F;
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        for (int i = 0; i < N; ++i) squares += (v.at[i] - middle) * (v.at[i] - middle);
    });
    const float inverse = 1.0F / sqrtf(warpSum(squares) / count + epsilon);
    forLanePacks<N>(columns, [&](std::int64_t c) {
        auto v = loadFloats<N>(x + c);
        const auto g = loadFloats<N>(gamma + c);
        const auto b = loadFloats<N>(beta + c);
        for (int i = 0; i < N; ++i) v.at[i] = (v.at[i] - middle) * inverse * g.at[i] + b.at[i];
        storeFloats(y + c, v);
    });
    if (laneRank() == 0) {
        mean[row] = middle;
        rstd[row] = inverse;
    }
}

/// dy * gamma is rounded by itself, so that the second pass subtracts from what the first one
/// summed: a product fused with a subtraction is another number, and what cancels exactly (one
/// column) would leave its rounding times rstd.
template <typename T, int N>
__global__ void normaliseBackward(T* dx, const T* dy, const T* x, const float* mean,
                                  const float* rstd, const float* gamma, std::int64_t rows,
                                  std::int64_t columns) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    x += row * columns;
    dy += row * columns;
    dx += row * columns;
    const float middle = mean[row];
    const float inverse = rstd[row];
    float sumG = 0.0F;
    float sumGx = 0.0F;
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        const auto slope = loadFloats<N>(dy + c);
        const auto scale = loadFloats<N>(gamma + c);
        for (int i = 0; i < N; ++i) {
            const float g = __fmul_rn(slope.at[i], scale.at[i]);
            sumG += g;
            sumGx += g * (v.at[i] - middle);
        }
    });
    const float count = static_cast<float>(columns);
    const float meanG = warpSum(sumG) / count;
    const float lean = warpSum(sumGx) * inverse * inverse / count;
    forLanePacks<N>(columns, [&](std::int64_t c) {
        const auto v = loadFloats<N>(x + c);
        const auto scale = loadFloats<N>(gamma + c);
        auto slope = loadFloats<N>(dy + c);
        for (int i = 0; i < N; ++i) {
            const float g = __fmul_rn(slope.at[i], scale.at[i]);
            slope.at[i] = (g - meanG - (v.at[i] - middle) * lean) * inverse;
        }
        storeFloats(dx + c, slope);
    });
}

/// What a row gives to dGamma and dBeta.
template <typename T>
struct ParameterTerm {
    static constexpr int kSums = 2;
    const T* dy;
    const T* x;
    const float* mean;
    const float* rstd;
    std::int64_t columns;

    __device__ void add(float (&sums)[2], std::int64_t row, std::int64_t column) const {
        const float g = toFloat(dy[row * columns + column]);
        sums[0] += g * ((toFloat(x[row * columns + column]) - mean[row]) * rstd[row]);
        sums[1] += g;
    }
};

}  // namespace

void CudaBackend::layerNormForward(core::Out y, core::Out mean, core::Out rstd,
                                   const core::Tensor& x, const core::Tensor& gamma,
                                   const core::Tensor& beta, float epsilon) {
    const std::int64_t rows = x.size(0);
    const std::int64_t columns = x.size(1);
    if (rows == 0) return;
    withPacks(x.dtype(), columns, {&y, &x, &gamma, &beta}, [&]<typename T, int N>() {
        launch(stream(), normalise<T, N>, warpsFor(rows), dim3(kBlock), 0, data<T>(y),
               data<float>(mean), data<float>(rstd), data<T>(x), data<float>(gamma),
               data<float>(beta), rows, columns, epsilon);
    });
}

void CudaBackend::layerNormBackward(core::Out dx, core::InOut dGamma, core::InOut dBeta,
                                    const core::Tensor& dy, const core::Tensor& x,
                                    const core::Tensor& mean, const core::Tensor& rstd,
                                    const core::Tensor& gamma) {
    const std::int64_t rows = x.size(0);
    const std::int64_t columns = x.size(1);
    if (rows == 0) return;
    withPacks(x.dtype(), columns, {&dx, &dy, &x, &gamma}, [&]<typename T, int N>() {
        const TermSums all{rows, columns};
        // The parameters first: dx may be dy.
        float* const sums[2] = {data<float>(dGamma), data<float>(dBeta)};
        all.add(stream(), sums, scratchOf<float>(all.floats(2)),
                ParameterTerm<T>{data<T>(dy), data<T>(x), data<float>(mean), data<float>(rstd),
                                 columns});
        launch(stream(), normaliseBackward<T, N>, warpsFor(rows), dim3(kBlock), 0, data<T>(dx),
               data<T>(dy), data<T>(x), data<float>(mean), data<float>(rstd), data<float>(gamma),
               rows, columns);
    });
}

}  // namespace gpu
