// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/t5_cost.h"

#include <cmath>

namespace core {
namespace {

/// Of one token in one attention: scores against `keys` tokens and their weighted sum.
double scores(const T5Spec& t5, double keys) {
    return 2 * 2 * keys * static_cast<double>(t5.heads * t5.dKv);
}

/// Of one token in one of the four linear layers of attention.
double projection(const T5Spec& t5) {
    return 2 * static_cast<double>(t5.dModel) * static_cast<double>(t5.heads * t5.dKv);
}

double mlp(const T5Spec& t5, const BlockSpec& block) {
    const auto model = static_cast<double>(t5.dModel);
    const double dense = (t5.gated ? 3 : 2) * 2 * model * static_cast<double>(t5.dFf);
    if (!block.moe) return dense;
    return dense * expertsUsed(*block.moe) + 2 * model * static_cast<double>(block.moe->experts);
}

}  // namespace

void addT5Flops(const ModelSpec& spec, ModelCost& cost) {
    const T5Spec& t5 = spec.t5;
    const auto sources = static_cast<double>(kT5InputTokens);
    const auto targets = static_cast<double>(kT5TargetTokens);
    double encoder = 0;
    double decoder = 0;
    for (const BlockSpec& block : spec.blocks)
        if (block.stack == "encoder")
            encoder += 4 * projection(t5) + scores(t5, sources) + mlp(t5, block);
        else
            decoder += 4 * projection(t5) + scores(t5, targets) + mlp(t5, block) +
                       (2 + 2 * sources / targets) * projection(t5) + scores(t5, sources);
    if (t5.decoderLayers == 0) {
        cost.flopsPerToken = cost.flopsPerEncoderToken = encoder;
        return;
    }
    decoder += 2 * static_cast<double>(t5.dModel) * static_cast<double>(t5.vocab);
    cost.flopsPerEncoderToken = encoder;
    cost.flopsPerDecoderToken = decoder;
    cost.flopsPerToken = (sources * encoder + targets * decoder) / (sources + targets);
}

}  // namespace core
