// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {

void CpuBackend::softmaxForward(Out y, const Tensor& x) {
    const Kernels& k = start();
    const std::int64_t columns = x.size(1);
    float* into = y.data<float>();
    const float* from = x.data<float>();
    parallelFor(x.size(0), rowGrain(16 * columns), [&](std::int64_t begin, std::int64_t end, int) {
        k.softmaxForward(into + begin * columns, from + begin * columns, end - begin, columns);
    });
}

void CpuBackend::softmaxBackward(Out dx, const Tensor& dy, const Tensor& y) {
    const Kernels& k = start();
    const std::int64_t columns = y.size(1);
    float* into = dx.data<float>();
    const float* slopes = dy.data<float>();
    const float* from = y.data<float>();
    parallelFor(y.size(0), rowGrain(16 * columns), [&](std::int64_t begin, std::int64_t end, int) {
        const std::int64_t at = begin * columns;
        k.softmaxBackward(into + at, slopes + at, from + at, end - begin, columns);
    });
}

}  // namespace core::cpu
