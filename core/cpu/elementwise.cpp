// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {

void CpuBackend::add(Out y, const Tensor& a, const Tensor& b) {
    const Kernels& k = start();
    float* into = y.data<float>();
    const float* left = a.data<float>();
    const float* right = b.data<float>();
    parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.add(into + begin, left + begin, right + begin, end - begin);
    });
}

void CpuBackend::multiply(Out y, const Tensor& a, const Tensor& b) {
    const Kernels& k = start();
    float* into = y.data<float>();
    const float* left = a.data<float>();
    const float* right = b.data<float>();
    parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.multiply(into + begin, left + begin, right + begin, end - begin);
    });
}

void CpuBackend::accumulate(InOut y, const Tensor& x, float factor) {
    const Kernels& k = start();
    float* into = y.data<float>();
    const float* from = x.data<float>();
    parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.axpy(into + begin, from + begin, factor, end - begin);
    });
}

void CpuBackend::scale(InOut y, float factor) {
    const Kernels& k = start();
    float* into = y.data<float>();
    parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.scaled(into + begin, into + begin, factor, end - begin);
    });
}

}  // namespace core::cpu
