// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <cmath>

namespace core::cpu {

Keep keepOf(float rate, std::uint64_t key) {
    const double share = static_cast<double>(rate);
    return {key, static_cast<std::uint32_t>(std::ceil(share * (1 << 24))),
            static_cast<float>(1.0 / (1.0 - share))};
}

void CpuBackend::dropout(Out y, const Tensor& x, float rate, std::uint64_t key) {
    const Kernels& k = start();
    if (rate == 0.0F) {
        if (y.raw() != x.raw()) copy(y, x);
        return;
    }
    const Keep keep = keepOf(rate, key);
    withElements(y.dtype(), [&]<typename T>() {
        T* into = y.data<T>();
        const T* from = x.data<T>();
        parallelFor(y.elements(), kElementGrain / 4,
                    [&](std::int64_t begin, std::int64_t end, int) {
                        k.of<T>().dropout(into + begin, from + begin, keep,
                                          static_cast<std::uint64_t>(begin), end - begin);
                    });
    });
}

}  // namespace core::cpu
