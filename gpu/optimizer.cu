// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/reduce.cuh"
#include "gpu/device/shared.cuh"
#include "gpu/elements.h"
#include "gpu/launch.h"
#include "gpu/packs.h"
#include "gpu/tensors.h"

#include <cmath>

namespace gpu {
namespace {

struct AdamWRule {
    float* weight;
    float* m;
    float* v;
    const float* gradient;
    const float* scale;
    float keep;
    float beta2;
    float mix1;
    float mix2;
    float stepSize;
    float inverseRootCorrection;
    float epsilon;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const float gradientScale = *scale;
        if (!isfinite(gradientScale)) return;
        Pack<float, N> w = loadPack<N>(weight + i);
        Pack<float, N> first = loadPack<N>(m + i);
        Pack<float, N> second = loadPack<N>(v + i);
        const Pack<float, N> g = loadPack<N>(gradient + i);
        for (int k = 0; k < N; ++k) {
            const float slope = g.at[k] * gradientScale;
            first.at[k] += (slope - first.at[k]) * mix1;
            second.at[k] = second.at[k] * beta2 + slope * slope * mix2;
            const float denominator = sqrtf(second.at[k]) * inverseRootCorrection + epsilon;
            w.at[k] = w.at[k] * keep - stepSize * first.at[k] / denominator;
        }
        storePack(weight + i, w);
        storePack(m + i, first);
        storePack(v + i, second);
    }
};

struct SgdRule {
    float* weight;
    float* momentum;
    const float* gradient;
    const float* scale;
    core::SgdArgs args;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const float gradientScale = *scale;
        if (!isfinite(gradientScale)) return;
        Pack<float, N> w = loadPack<N>(weight + i);
        Pack<float, N> buffer = loadPack<N>(momentum + i);
        const Pack<float, N> g = loadPack<N>(gradient + i);
        for (int k = 0; k < N; ++k) {
            const float slope = g.at[k] * gradientScale + w.at[k] * args.weightDecay;
            buffer.at[k] = args.firstStep ? slope : buffer.at[k] * args.momentum + slope;
            const float step = args.nesterov ? slope + buffer.at[k] * args.momentum : buffer.at[k];
            w.at[k] -= step * args.lr;
        }
        storePack(weight + i, w);
        storePack(momentum + i, buffer);
    }
};

/// One block. scale = 1 or clip / norm; NaN where the norm or a loss is not finite.
__global__ void scaleOfStep(float* scale, const double* squares, const double* losses,
                            std::int64_t count, double clip) {
    int bad = 0;
    for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x)
        if (!isfinite(losses[i])) bad = 1;
    bad = blockSum(bad, blockShared<int>());
    if (threadIdx.x != 0) return;
    const double norm = sqrt(*squares);
    if (bad > 0 || !isfinite(norm))
        *scale = __int_as_float(0x7FFFFFFF);
    else
        *scale = clip > 0.0 && norm > clip ? static_cast<float>(clip / norm) : 1.0F;
}

}  // namespace

void CudaBackend::stepScale(Out scale, const Tensor& squares, const Tensor& losses, double clip) {
    launch(stream(), scaleOfStep, 1, kElementThreads, kMostWarps * sizeof(int), data<float>(scale),
           data<double>(squares), data<double>(losses), losses.elements(), clip);
}

void CudaBackend::adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient,
                            const Tensor& scale, const AdamWArgs& args) {
    const auto step = static_cast<double>(args.step);
    const auto lr = static_cast<double>(args.lr);
    const double correction1 = 1.0 - std::pow(args.beta1, step);
    const double correction2 = 1.0 - std::pow(args.beta2, step);
    const AdamWRule rule{data<float>(weight),
                         data<float>(m),
                         data<float>(v),
                         data<float>(gradient),
                         data<float>(scale),
                         static_cast<float>(1.0 - lr * static_cast<double>(args.weightDecay)),
                         static_cast<float>(args.beta2),
                         static_cast<float>(1.0 - args.beta1),
                         static_cast<float>(1.0 - args.beta2),
                         static_cast<float>(lr / correction1),
                         static_cast<float>(1.0 / std::sqrt(correction2)),
                         args.epsilon};
    forElements<float>(stream(), weight.elements(),
                       {rule.weight, rule.m, rule.v, rule.gradient}, rule);
}

void CudaBackend::sgdStep(InOut weight, InOut momentum, const Tensor& gradient,
                          const Tensor& scale, const SgdArgs& args) {
    const SgdRule rule{data<float>(weight), data<float>(momentum), data<float>(gradient),
                       data<float>(scale), args};
    forElements<float>(stream(), weight.elements(), {rule.weight, rule.momentum, rule.gradient},
                       rule);
}

}  // namespace gpu
