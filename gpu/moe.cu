// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"

namespace gpu {
namespace {

/// slots [slots, width] = x[token of the slot], 0 where it is no one's; a warp a row.
template <typename T, int N>
__global__ void gatherRows(T* slots, const T* x, const std::int32_t* token, std::int64_t count,
                           std::int64_t width) {
    const std::int64_t slot = warpRow();
    if (slot >= count) return;
    T* into = slots + slot * width;
    if (token[slot] < 0) return forLanePacks<N>(width, [&](std::int64_t c) {
        storeFloats(into + c, Pack<float, N>{});
    });
    const T* from = x + token[slot] * width;
    forLanePacks<N>(width, [&](std::int64_t c) {
        *reinterpret_cast<Pack<T, N>*>(into + c) = *reinterpret_cast<const Pack<T, N>*>(from + c);
    });
}

/// y [tokens, width] = the sum over a token's slots, in slot order, of weights[slot] * slots[slot]
/// (no weights: 1).
template <typename T, int N>
__global__ void addSlots(T* y, const T* slots, const float* weights,
                         const std::int32_t* tokenOffsets, const std::int32_t* tokenSlots,
                         std::int64_t tokens, std::int64_t width) {
    const std::int64_t token = warpRow();
    if (token >= tokens) return;
    const std::int32_t first = tokenOffsets[token];
    const std::int32_t end = tokenOffsets[token + 1];
    forLanePacks<N>(width, [&](std::int64_t c) {
        Pack<float, N> sum{};
        for (std::int32_t i = first; i < end; ++i) {
            const std::int64_t slot = tokenSlots[i];
            const float weight = weights == nullptr ? 1.0F : weights[slot];
            const auto v = loadFloats<N>(slots + slot * width + c);
            for (int k = 0; k < N; ++k) sum.at[k] += weight * v.at[k];
        }
        storeFloats(y + token * width + c, sum);
    });
}

template <typename T, int N>
__global__ void combineSlopes(T* dSlots, float* dWeights, const T* dy, const T* slots,
                              const float* weights, const std::int32_t* token, std::int64_t count,
                              std::int64_t width) {
    const std::int64_t slot = warpRow();
    if (slot >= count) return;
    if (token[slot] < 0) {
        forLanePacks<N>(width, [&](std::int64_t c) {
            storeFloats(dSlots + slot * width + c, Pack<float, N>{});
        });
        if (laneRank() == 0) dWeights[slot] = 0.0F;
        return;
    }
    const float weight = weights[slot];
    const T* slope = dy + token[slot] * width;
    float inner = 0.0F;
    forLanePacks<N>(width, [&](std::int64_t c) {
        auto g = loadFloats<N>(slope + c);
        const auto v = loadFloats<N>(slots + slot * width + c);
        for (int i = 0; i < N; ++i) {
            inner += v.at[i] * g.at[i];
            g.at[i] *= weight;
        }
        storeFloats(dSlots + slot * width + c, g);
    });
    inner = warpSum(inner);
    if (laneRank() == 0) dWeights[slot] = inner;
}

void sumSlots(cudaStream_t stream, const core::Tensor& y, const core::Tensor& slots,
              const core::Tensor& weights, const core::Assignment& a) {
    const std::int64_t width = y.size(1);
    if (y.elements() == 0) return;
    withPacks(y.dtype(), width, {&y, &slots}, [&]<typename T, int N>() {
        launch(stream, addSlots<T, N>, warpsFor(a.tokens), dim3(kBlock), 0, data<T>(y),
               data<T>(slots), dataOrNull<float>(weights), data<std::int32_t>(a.tokenOffsets),
               data<std::int32_t>(a.tokenSlots), a.tokens, width);
    });
}

}  // namespace

void CudaBackend::dispatchForward(core::Out slots, const core::Tensor& x,
                                  const core::Assignment& assignment) {
    const std::int64_t width = x.size(1);
    if (slots.elements() == 0) return;
    withPacks(x.dtype(), width, {&slots, &x}, [&]<typename T, int N>() {
        launch(stream(), gatherRows<T, N>, warpsFor(assignment.slots()), dim3(kBlock), 0,
               data<T>(slots), data<T>(x), data<std::int32_t>(assignment.slotToken),
               assignment.slots(), width);
    });
}

void CudaBackend::dispatchBackward(core::Out dx, const core::Tensor& dSlots,
                                   const core::Assignment& assignment) {
    sumSlots(stream(), dx, dSlots, {}, assignment);
}

void CudaBackend::combineForward(core::Out y, const core::Tensor& slots,
                                 const core::Tensor& weights, const core::Assignment& assignment) {
    sumSlots(stream(), y, slots, weights, assignment);
}

void CudaBackend::combineBackward(core::Out dSlots, core::Out dWeights, const core::Tensor& dy,
                                  const core::Tensor& slots, const core::Tensor& weights,
                                  const core::Assignment& assignment) {
    const std::int64_t width = dy.size(1);
    if (assignment.slots() == 0) return;
    withPacks(dy.dtype(), width, {&dSlots, &dy, &slots}, [&]<typename T, int N>() {
        launch(stream(), combineSlopes<T, N>, warpsFor(assignment.slots()), dim3(kBlock), 0,
               data<T>(dSlots), data<float>(dWeights), data<T>(dy), data<T>(slots),
               data<float>(weights), data<std::int32_t>(assignment.slotToken), assignment.slots(),
               width);
    });
}

}  // namespace gpu
