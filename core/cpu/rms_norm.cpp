// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {

void CpuBackend::rmsNormForward(Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                                float epsilon) {
    const Kernels& k = start();
    const std::int64_t columns = x.size(1);
    withElements(x.dtype(), [&]<typename T>() {
        parallelFor(x.size(0), rowGrain(columns), [&](std::int64_t begin, std::int64_t end, int) {
            const std::int64_t at = begin * columns;
            k.of<T>().rmsNormForward(y.data<T>() + at, rstd.data<float>() + begin, x.data<T>() + at,
                                     gamma.data<float>(), end - begin, columns, epsilon);
        });
    });
}

void CpuBackend::rmsNormBackward(Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                                 const Tensor& rstd, const Tensor& gamma) {
    const Kernels& k = start();
    const std::int64_t columns = x.size(1);
    const int parts = parallelParts(x.size(0), rowGrain(columns));
    double* sums = doubleScratch(static_cast<std::size_t>(parts * columns));
    std::fill_n(sums, parts * columns, 0.0);
    withElements(x.dtype(), [&]<typename T>() {
        parallelFor(
            x.size(0), rowGrain(columns), [&](std::int64_t begin, std::int64_t end, int part) {
                const std::int64_t at = begin * columns;
                k.of<T>().rmsNormBackward(
                    dx.data<T>() + at, sums + part * columns, dy.data<T>() + at, x.data<T>() + at,
                    rstd.data<float>() + begin, gamma.data<float>(), end - begin, columns);
            });
    });
    for (std::int64_t i = columns; i < parts * columns; ++i) sums[i % columns] += sums[i];
    for (std::int64_t c = 0; c < columns; ++c)
        dGamma.data<float>()[c] += static_cast<float>(sums[c]);
}

}  // namespace core::cpu
