// SPDX-License-Identifier: Apache-2.0
#include "tests/core/model/upcycled.h"

#include "core/base/random.h"
#include "core/cpu/cpu_backend.h"

#include <algorithm>

namespace core::test {

ModelSpec smallVit() {
    ModelSpec spec;
    spec.vit.imageSize = 12;
    spec.vit.patchSize = 3;
    spec.vit.channels = 2;
    spec.vit.hidden = 15;
    spec.vit.intermediate = 22;
    spec.vit.heads = 3;
    spec.vit.layers = 4;
    spec.vit.classes = 5;
    for (int i = 0; i < 4; ++i)
        spec.blocks.push_back({"encoder." + std::to_string(i), "encoder", i, {}});
    return spec;
}

void fillNormal(const Tensor& tensor, float mean, float std, std::uint64_t seed) {
    const CounterRandom random(seed);
    std::uint64_t i = 0;
    for (float& value : tensor.span<float>()) value = mean + std * random.normal(i++);
}

std::unique_ptr<Model> randomModel(const ModelSpec& spec, std::uint64_t seed, bool gradients) {
    auto model = makeModel(spec, makeCpuBackend(1), gradients);
    for (const Parameter& p : model->parameters()) {
        const bool norm = p.name.find("layernorm") != std::string::npos;
        fillNormal(p.value, norm && p.name.ends_with("weight") ? 1.0F : 0.0F,
                   p.decay ? 0.25F : 0.1F, hashName(seed, p.name));
    }
    return model;
}

std::unique_ptr<Model> upcycle(Model& dense, const std::map<std::string, MoeSpec>& blocks,
                               float routerStd, bool gradients) {
    ModelSpec spec = dense.spec();
    for (BlockSpec& block : spec.blocks)
        if (const auto at = blocks.find(block.name); at != blocks.end()) block.moe = at->second;
    auto model = makeModel(spec, makeCpuBackend(1), gradients);
    for (const Parameter& p : model->parameters()) {
        std::string source = p.name;
        const std::string expert = "mlp.experts.expert_{e}.";
        if (const auto at = source.find(expert); at != std::string::npos)
            source.erase(at, expert.size());
        const auto from =
            std::find_if(dense.parameters().begin(), dense.parameters().end(),
                         [&](const Parameter& candidate) { return candidate.name == source; });
        if (from == dense.parameters().end()) {
            fillNormal(p.value, 0.0F, routerStd, hashName(7, p.name));
            continue;
        }
        const auto values = from->value.span<float>();
        const auto into = p.value.span<float>();
        for (std::size_t i = 0; i < into.size(); ++i) into[i] = values[i % values.size()];
    }
    return model;
}

Batch randomBatch(const VitSpec& vit, std::int64_t batch, std::uint64_t seed) {
    Batch result{Tensor::host({batch, vit.channels, vit.imageSize, vit.imageSize}),
                 Tensor::host({batch}, DType::I64)};
    fillNormal(result.pixels, 0.0F, 1.0F, seed);
    const CounterRandom random(seed, 1);
    for (std::int64_t i = 0; i < batch; ++i)
        result.labels.data<std::int64_t>()[i] = static_cast<std::int64_t>(
            random.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(vit.classes)));
    return result;
}

MoeSpec expertChoice(std::int64_t experts, double capacity, bool renormalize, GroupSize group) {
    MoeSpec moe;
    moe.experts = experts;
    moe.capacity = capacity;
    moe.renormalize = renormalize;
    moe.group = group;
    return moe;
}

MoeSpec topK(std::int64_t experts, int k, double capacity, bool renormalize, TopKOrder order) {
    MoeSpec moe = expertChoice(experts, capacity, renormalize);
    moe.router = RouterKind::TopK;
    moe.k = k;
    moe.order = order;
    moe.dropless = capacity == 0;
    return moe;
}

}  // namespace core::test
