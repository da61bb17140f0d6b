// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {

void CpuBackend::dispatchForward(Out slots, const Tensor& x, const Assignment& assignment) {
    start();
    const std::int64_t width = x.size(1);
    const auto* token = assignment.slotToken.data<std::int32_t>();
    parallelFor(assignment.slots(), rowGrain(width),
                [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t s = begin; s < end; ++s)
                        std::copy_n(x.data<float>() + token[s] * width, width,
                                    slots.data<float>() + s * width);
                });
}

void CpuBackend::dispatchBackward(Out dx, const Tensor& dSlots, const Assignment& assignment) {
    const Kernels& k = start();
    const std::int64_t width = dx.size(1);
    const auto* first = assignment.tokenOffsets.data<std::int32_t>();
    const auto* slots = assignment.tokenSlots.data<std::int32_t>();
    parallelFor(assignment.tokens, rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t t = begin; t < end; ++t) {
            float* into = dx.data<float>() + t * width;
            std::fill_n(into, width, 0.0F);
            for (std::int32_t i = first[t]; i < first[t + 1]; ++i)
                k.axpy(into, dSlots.data<float>() + slots[i] * width, 1.0F, width);
        }
    });
}

void CpuBackend::combineForward(Out y, const Tensor& slots, const Tensor& weights,
                                const Assignment& assignment) {
    const Kernels& k = start();
    const std::int64_t width = y.size(1);
    const auto* first = assignment.tokenOffsets.data<std::int32_t>();
    const auto* slotOf = assignment.tokenSlots.data<std::int32_t>();
    parallelFor(assignment.tokens, rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t t = begin; t < end; ++t) {
            float* into = y.data<float>() + t * width;
            std::fill_n(into, width, 0.0F);
            for (std::int32_t i = first[t]; i < first[t + 1]; ++i)
                k.axpy(into, slots.data<float>() + slotOf[i] * width,
                       weights.data<float>()[slotOf[i]], width);
        }
    });
}

void CpuBackend::combineBackward(Out dSlots, Out dWeights, const Tensor& dy, const Tensor& slots,
                                 const Tensor& weights, const Assignment& assignment) {
    const Kernels& k = start();
    const std::int64_t width = dy.size(1);
    const auto* token = assignment.slotToken.data<std::int32_t>();
    parallelFor(
        assignment.slots(), rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t s = begin; s < end; ++s) {
                const float* slope = dy.data<float>() + token[s] * width;
                dWeights.data<float>()[s] = k.dot(slots.data<float>() + s * width, slope, width);
                k.scaled(dSlots.data<float>() + s * width, slope, weights.data<float>()[s], width);
            }
        });
}

}  // namespace core::cpu
