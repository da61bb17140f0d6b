// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/elements.h"
#include "gpu/tensors.h"

#include <cmath>

namespace gpu {
namespace {

struct AdamWRule {
    float* weight;
    float* m;
    float* v;
    const float* gradient;
    float gradientScale;
    float keep;
    float beta2;
    float mix1;
    float mix2;
    float stepSize;
    float inverseRootCorrection;
    float epsilon;

    template <int N>
    __device__ void run(std::int64_t i) const {
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
    core::SgdArgs args;

    template <int N>
    __device__ void run(std::int64_t i) const {
        Pack<float, N> w = loadPack<N>(weight + i);
        Pack<float, N> buffer = loadPack<N>(momentum + i);
        const Pack<float, N> g = loadPack<N>(gradient + i);
        for (int k = 0; k < N; ++k) {
            const float slope = g.at[k] * args.gradientScale + w.at[k] * args.weightDecay;
            buffer.at[k] = args.firstStep ? slope : buffer.at[k] * args.momentum + slope;
            const float step = args.nesterov ? slope + buffer.at[k] * args.momentum : buffer.at[k];
            w.at[k] -= step * args.lr;
        }
        storePack(weight + i, w);
        storePack(momentum + i, buffer);
    }
};

}  // namespace

void CudaBackend::adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient,
                            const AdamWArgs& args) {
    const auto step = static_cast<double>(args.step);
    const auto lr = static_cast<double>(args.lr);
    const double correction1 = 1.0 - std::pow(args.beta1, step);
    const double correction2 = 1.0 - std::pow(args.beta2, step);
    const AdamWRule rule{data<float>(weight),
                         data<float>(m),
                         data<float>(v),
                         data<float>(gradient),
                         args.gradientScale,
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
                          const SgdArgs& args) {
    const SgdRule rule{data<float>(weight), data<float>(momentum), data<float>(gradient), args};
    forElements<float>(stream(), weight.elements(), {rule.weight, rule.momentum, rule.gradient},
                       rule);
}

}  // namespace gpu
