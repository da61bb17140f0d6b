// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/kept_four.cuh"
#include "gpu/device/rows.cuh"
#include "gpu/dropout_rule.h"
#include "gpu/packs.h"

namespace gpu {
namespace {

/// A thread has the four elements of one counter.
template <typename T>
__global__ void drop(T* y, const T* x, DropoutRule rule, std::int64_t count) {
    const std::int64_t first = 4 * threadElement();
    if (first >= count) return;
    const KeptFour kept = keptFour(rule, static_cast<std::uint64_t>(first));
    for (int i = 0; i < 4; ++i)
        if (first + i < count)
            y[first + i] =
                kept.at[i] ? fromFloat<T>(toFloat(x[first + i]) * rule.factor) : fromFloat<T>(0.0F);
}

}  // namespace

void CudaBackend::dropout(core::Out y, const core::Tensor& x, float rate, std::uint64_t key) {
    if (x.elements() == 0) return;
    if (rate == 0.0F) {
        if (y.raw() != x.raw()) copy(y, x);
        return;
    }
    withType(x.dtype(), [&]<typename T>() {
        launch(stream(), drop<T>, blocksFor(divideUp(x.elements(), 4)), dim3(kBlock), 0, data<T>(y),
               data<T>(x), dropoutRule(rate, key), x.elements());
    });
}

}  // namespace gpu
