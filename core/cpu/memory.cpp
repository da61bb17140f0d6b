// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <cstring>

namespace core::cpu {
namespace {

template <typename T>
void fillWith(T* into, std::int64_t n, T value) {
    parallelFor(n, kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        std::fill(into + begin, into + end, value);
    });
}

void copyBytes(std::byte* into, const std::byte* from, std::size_t bytes) {
    constexpr std::int64_t kGrain = 1 << 18;
    parallelFor(static_cast<std::int64_t>(bytes), kGrain,
                [&](std::int64_t begin, std::int64_t end, int) {
                    std::memmove(into + begin, from + begin, static_cast<std::size_t>(end - begin));
                });
}

}  // namespace

void CpuBackend::fill(Out y, float value) {
    start();
    if (y.dtype() == DType::I32)
        fillWith(y.data<std::int32_t>(), y.elements(), static_cast<std::int32_t>(value));
    else if (y.dtype() == DType::BF16)
        fillWith(reinterpret_cast<std::uint16_t*>(y.data<BFloat16>()), y.elements(),
                 floatToBf16(value));
    else
        fillWith(y.data<float>(), y.elements(), value);
}

void CpuBackend::copy(Out y, const Tensor& x) {
    const ElementKernels<BFloat16>& k = start().bf16;
    const auto eachPart = [&](auto convert) { parallelFor(x.elements(), kElementGrain, convert); };
    if (x.dtype() == y.dtype())
        copyBytes(y.raw(), x.raw(), x.bytes());
    else if (y.dtype() == DType::BF16)
        eachPart([&](std::int64_t begin, std::int64_t end, int) {
            k.fromFloats(y.data<BFloat16>() + begin, x.data<float>() + begin, end - begin);
        });
    else
        eachPart([&](std::int64_t begin, std::int64_t end, int) {
            k.toFloats(y.data<float>() + begin, x.data<BFloat16>() + begin, end - begin);
        });
}

}  // namespace core::cpu
