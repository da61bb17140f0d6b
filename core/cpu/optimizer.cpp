// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <cmath>

namespace core::cpu {

void CpuBackend::adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient,
                           const AdamWArgs& args) {
    const Kernels& k = start();
    const auto step = static_cast<double>(args.step);
    const double correction1 = 1.0 - std::pow(args.beta1, step);
    const double correction2 = 1.0 - std::pow(args.beta2, step);
    const double lr = static_cast<double>(args.lr);
    const AdamWScalars scalars{
        .gradientScale = args.gradientScale,
        .keep = static_cast<float>(1.0 - lr * static_cast<double>(args.weightDecay)),
        .beta2 = static_cast<float>(args.beta2),
        .mix1 = static_cast<float>(1.0 - args.beta1),
        .mix2 = static_cast<float>(1.0 - args.beta2),
        .stepSize = static_cast<float>(lr / correction1),
        .rootCorrection = static_cast<float>(std::sqrt(correction2)),
        .epsilon = args.epsilon};
    parallelFor(weight.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.adamw(weight.data<float>() + begin, m.data<float>() + begin, v.data<float>() + begin,
                gradient.data<float>() + begin, scalars, end - begin);
    });
}

void CpuBackend::sgdStep(InOut weight, InOut momentum, const Tensor& gradient,
                         const SgdArgs& args) {
    const Kernels& k = start();
    parallelFor(weight.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.sgd(weight.data<float>() + begin, momentum.data<float>() + begin,
              gradient.data<float>() + begin, args.lr, args.momentum, args.weightDecay,
              args.gradientScale, args.nesterov, args.firstStep, end - begin);
    });
}

}  // namespace core::cpu
