// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {

void CpuBackend::firstRowsForward(Out y, const Tensor& x) {
    start();
    const std::int64_t width = y.size(1);
    const std::int64_t image = x.size(1) * width;
    withElements(x.dtype(), [&]<typename T>() {
        for (std::int64_t b = 0; b < y.size(0); ++b)
            std::copy_n(x.data<T>() + b * image, width, y.data<T>() + b * width);
    });
}

void CpuBackend::firstRowsBackward(Out dx, const Tensor& dy) {
    start();
    const std::int64_t width = dy.size(1);
    const std::int64_t image = dx.size(1) * width;
    withElements(dx.dtype(), [&]<typename T>() {
        parallelFor(dy.size(0), rowGrain(image), [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t b = begin; b < end; ++b) {
                T* into = dx.data<T>() + b * image;
                std::copy_n(dy.data<T>() + b * width, width, into);
                setZero(into + width, image - width);
            }
        });
    });
}

}  // namespace core::cpu
