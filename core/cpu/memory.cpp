// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <cstring>

namespace core::cpu {

void CpuBackend::fill(Out y, float value) {
    start();
    if (y.dtype() == DType::I32) {
        std::fill_n(y.data<std::int32_t>(), y.elements(), static_cast<std::int32_t>(value));
        return;
    }
    float* into = y.data<float>();
    parallelFor(y.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        std::fill(into + begin, into + end, value);
    });
}

void CpuBackend::copy(Out y, const Tensor& x) {
    start();
    if (y.dtype() != x.dtype()) {
        std::vector<float> floats(static_cast<std::size_t>(x.elements()));
        toFloats(floats, x.raw(), x.dtype());
        fromFloats(y.raw(), y.dtype(), floats);
        return;
    }
    std::byte* into = y.raw();
    const std::byte* from = x.raw();
    constexpr std::int64_t kGrain = 1 << 18;
    parallelFor(static_cast<std::int64_t>(x.bytes()), kGrain,
                [&](std::int64_t begin, std::int64_t end, int) {
                    std::memmove(into + begin, from + begin, static_cast<std::size_t>(end - begin));
                });
}

}  // namespace core::cpu
