// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core::cpu {

void CpuBackend::stepScale(Out scale, const Tensor& squares, const Tensor& losses, double clip) {
    const double norm = std::sqrt(*squares.data<double>());
    const auto values = losses.span<double>();
    const bool finite =
        std::isfinite(norm) &&
        std::all_of(values.begin(), values.end(), [](double loss) { return std::isfinite(loss); });
    *scale.data<float>() = !finite                   ? std::numeric_limits<float>::quiet_NaN()
                           : clip > 0 && norm > clip ? static_cast<float>(clip / norm)
                                                     : 1.0F;
}

void CpuBackend::adamwStep(InOut weight, InOut m, InOut v, const Tensor& gradient,
                           const Tensor& scale, const AdamWArgs& args) {
    const float gradientScale = *scale.data<float>();
    if (!std::isfinite(gradientScale)) return;
    const Kernels& k = start();
    const auto step = static_cast<double>(args.step);
    const double correction1 = 1.0 - std::pow(args.beta1, step);
    const double correction2 = 1.0 - std::pow(args.beta2, step);
    const double lr = static_cast<double>(args.lr);
    const AdamWScalars scalars{
        .gradientScale = gradientScale,
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

void CpuBackend::sgdStep(InOut weight, InOut momentum, const Tensor& gradient, const Tensor& scale,
                         const SgdArgs& args) {
    const float gradientScale = *scale.data<float>();
    if (!std::isfinite(gradientScale)) return;
    const Kernels& k = start();
    parallelFor(weight.elements(), kElementGrain, [&](std::int64_t begin, std::int64_t end, int) {
        k.sgd(weight.data<float>() + begin, momentum.data<float>() + begin,
              gradient.data<float>() + begin, args.lr, args.momentum, args.weightDecay,
              gradientScale, args.nesterov, args.firstStep, end - begin);
    });
}

}  // namespace core::cpu
