// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {

void CpuBackend::add(Out y, const Tensor& a, const Tensor& b) {
    const Kernels& k = start();
    withElements(y.dtype(), [&]<typename T>() {
        T* into = y.data<T>();
        const T* left = a.data<T>();
        const T* right = b.data<T>();
        parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
            k.of<T>().add(into + begin, left + begin, right + begin, end - begin);
        });
    });
}

void CpuBackend::multiply(Out y, const Tensor& a, const Tensor& b) {
    const Kernels& k = start();
    withElements(y.dtype(), [&]<typename T>() {
        T* into = y.data<T>();
        const T* left = a.data<T>();
        const T* right = b.data<T>();
        parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
            k.of<T>().multiply(into + begin, left + begin, right + begin, end - begin);
        });
    });
}

void CpuBackend::accumulate(InOut y, const Tensor& x, float factor) {
    const Kernels& k = start();
    withElements(y.dtype(), [&]<typename T>() {
        T* into = y.data<T>();
        const T* from = x.data<T>();
        parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
            k.of<T>().axpy(into + begin, from + begin, factor, end - begin);
        });
    });
}

void CpuBackend::scale(InOut y, float factor) {
    const Kernels& k = start();
    withElements(y.dtype(), [&]<typename T>() {
        T* into = y.data<T>();
        parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
            k.of<T>().scaled(into + begin, into + begin, factor, end - begin);
        });
    });
}

}  // namespace core::cpu
