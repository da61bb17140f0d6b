// SPDX-License-Identifier: Apache-2.0
#include "tests/core/model/small_t5.h"

#include "core/base/random.h"
#include "core/cpu/cpu_backend.h"
#include "tests/core/model/upcycled.h"

#include <cmath>

namespace core::test {
namespace {

Tensor randomIds(std::int64_t rows, std::int64_t length, std::int64_t vocab, std::uint64_t seed) {
    Tensor ids = Tensor::host({rows, length}, DType::I64);
    const CounterRandom random(seed);
    std::uint64_t i = 0;
    for (std::int64_t& id : ids.span<std::int64_t>())
        id = static_cast<std::int64_t>(random.below(i++, static_cast<std::uint64_t>(vocab)));
    return ids;
}

}  // namespace

ModelSpec smallT5(const std::map<std::string, MoeSpec>& moe) {
    ModelSpec spec;
    spec.family = Family::T5;
    spec.t5.vocab = 29;
    spec.t5.dModel = 12;
    spec.t5.dKv = 5;
    spec.t5.dFf = 15;
    spec.t5.heads = 2;
    spec.t5.encoderLayers = spec.t5.decoderLayers = 2;
    spec.t5.gated = true;
    spec.t5.activation = Activation::GeluTanh;
    for (const char* stack : {"encoder", "decoder"})
        for (int i = 0; i < 2; ++i) {
            BlockSpec block{std::string(stack) + "." + std::to_string(i), stack, i, {}};
            if (const auto at = moe.find(block.name); at != moe.end()) block.moe = at->second;
            spec.blocks.push_back(block);
        }
    return spec;
}

std::unique_ptr<Model> randomT5(const ModelSpec& spec, std::uint64_t seed, bool gradients) {
    auto model = makeModel(spec, makeCpuBackend(1), gradients);
    for (const Parameter& p : model->parameters()) {
        const bool norm = p.name.ends_with("layer_norm.weight");
        const bool embedding = p.name == "shared.weight" ||
                               p.name.find("relative_attention_bias") != std::string::npos;
        const auto inputs = static_cast<float>(p.shape[static_cast<int>(p.shape.rank()) - 1]);
        fillNormal(p.value, norm ? 1.0F : 0.0F,
                   norm        ? 0.1F
                   : embedding ? 1.0F
                               : 0.8F / std::sqrt(inputs),
                   hashName(seed, p.name));
    }
    return model;
}

Batch randomText(const T5Spec& t5, std::int64_t sequences, std::int64_t inputs,
                 std::int64_t targets, std::uint64_t seed) {
    Batch batch;
    batch.inputIds = randomIds(sequences, inputs, t5.vocab, hashName(seed, "inputs"));
    batch.decoderInputIds = randomIds(sequences, targets, t5.vocab, hashName(seed, "targets"));
    batch.labels = randomIds(sequences, targets, t5.vocab, hashName(seed, "labels"));
    return batch;
}

Tensor paddingMask(std::int64_t length, const std::vector<std::int64_t>& padding) {
    Tensor mask = Tensor::host({static_cast<std::int64_t>(padding.size()), length}, DType::U8);
    auto* into = mask.data<std::uint8_t>();
    for (const std::int64_t n : padding)
        for (std::int64_t i = 0; i < length; ++i) *into++ = i < length - n ? 1 : 0;
    return mask;
}

}  // namespace core::test
