// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {

void CpuBackend::layerNormForward(Out y, Out mean, Out rstd, const Tensor& x, const Tensor& gamma,
                                  const Tensor& beta, float epsilon) {
    const Kernels& k = start();
    const std::int64_t columns = x.size(1);
    float* means = mean.data<float>();
    float* inverses = rstd.data<float>();
    withElements(x.dtype(), [&]<typename T>() {
        parallelFor(x.size(0), rowGrain(columns), [&](std::int64_t begin, std::int64_t end, int) {
            const std::int64_t at = begin * columns;
            k.of<T>().layerNormForward(y.data<T>() + at, means + begin, inverses + begin,
                                       x.data<T>() + at, gamma.data<float>(), beta.data<float>(),
                                       end - begin, columns, epsilon);
        });
    });
}

void CpuBackend::layerNormBackward(Out dx, InOut dGamma, InOut dBeta, const Tensor& dy,
                                   const Tensor& x, const Tensor& mean, const Tensor& rstd,
                                   const Tensor& gamma) {
    const Kernels& k = start();
    const std::int64_t columns = x.size(1);
    const int parts = parallelParts(x.size(0), rowGrain(columns));
    double* sums = doubleScratch(static_cast<std::size_t>(2 * parts * columns));
    std::fill_n(sums, 2 * parts * columns, 0.0);
    float* scratch = floatScratch(static_cast<std::size_t>(parts * columns));
    withElements(x.dtype(), [&]<typename T>() {
        parallelFor(
            x.size(0), rowGrain(columns), [&](std::int64_t begin, std::int64_t end, int part) {
                const std::int64_t at = begin * columns;
                double* own = sums + 2 * part * columns;
                k.of<T>().layerNormBackward(
                    dx.data<T>() + at, own, own + columns, dy.data<T>() + at, x.data<T>() + at,
                    mean.data<float>() + begin, rstd.data<float>() + begin, gamma.data<float>(),
                    scratch + part * columns, end - begin, columns);
            });
    });
    for (std::int64_t i = 2 * columns; i < 2 * parts * columns; ++i)
        sums[i % (2 * columns)] += sums[i];
    for (std::int64_t c = 0; c < columns; ++c) {
        dGamma.data<float>()[c] += static_cast<float>(sums[c]);
        dBeta.data<float>()[c] += static_cast<float>(sums[columns + c]);
    }
}

}  // namespace core::cpu
