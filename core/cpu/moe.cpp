// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {
namespace {

/// y row t = the sum over token t's slots, in slot order, of weights[slot] (1 if weights is null) *
/// slot row.
template <typename T>
void sumOfSlots(const Kernels& kernels, Out y, const Tensor& slots, const float* weights,
                const Assignment& assignment) {
    const std::int64_t width = y.size(1);
    const auto* first = assignment.tokenOffsets.data<std::int32_t>();
    const auto* slotOf = assignment.tokenSlots.data<std::int32_t>();
    T* into = y.data<T>();
    const T* from = slots.data<T>();
    parallelFor(assignment.tokens, rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t t = begin; t < end; ++t)
            kernels.of<T>().sumOfRows(into + t * width, from, slotOf + first[t], weights,
                                      first[t + 1] - first[t], width);
    });
}

}  // namespace

void CpuBackend::dispatchForward(Out slots, const Tensor& x, const Assignment& assignment) {
    start();
    const std::int64_t width = x.size(1);
    const auto* token = assignment.slotToken.data<std::int32_t>();
    withElements(x.dtype(), [&]<typename T>() {
        parallelFor(
            assignment.slots(), rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
                for (std::int64_t s = begin; s < end; ++s)
                    std::copy_n(x.data<T>() + token[s] * width, width, slots.data<T>() + s * width);
            });
    });
}

void CpuBackend::dispatchBackward(Out dx, const Tensor& dSlots, const Assignment& assignment) {
    const Kernels& k = start();
    withElements(dx.dtype(),
                 [&]<typename T>() { sumOfSlots<T>(k, dx, dSlots, nullptr, assignment); });
}

void CpuBackend::combineForward(Out y, const Tensor& slots, const Tensor& weights,
                                const Assignment& assignment) {
    const Kernels& k = start();
    withElements(y.dtype(), [&]<typename T>() {
        sumOfSlots<T>(k, y, slots, weights.data<float>(), assignment);
    });
}

void CpuBackend::combineBackward(Out dSlots, Out dWeights, const Tensor& dy, const Tensor& slots,
                                 const Tensor& weights, const Assignment& assignment) {
    const Kernels& kernels = start();
    const std::int64_t width = dy.size(1);
    const auto* token = assignment.slotToken.data<std::int32_t>();
    withElements(dy.dtype(), [&]<typename T>() {
        const ElementKernels<T>& k = kernels.of<T>();
        parallelFor(
            assignment.slots(), rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
                for (std::int64_t s = begin; s < end; ++s) {
                    const T* slope = dy.data<T>() + token[s] * width;
                    dWeights.data<float>()[s] = k.dot(slots.data<T>() + s * width, slope, width);
                    k.scaled(dSlots.data<T>() + s * width, slope, weights.data<float>()[s], width);
                }
            });
    });
}

}  // namespace core::cpu
