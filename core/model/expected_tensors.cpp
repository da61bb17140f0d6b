// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/model/expected_tensors_internal.h"
#include "core/model/t5_tensors_internal.h"
#include "core/model/vit_tensors_internal.h"

#include <fmt/format.h>

namespace core {

ExpectedAxis configAxis(const char* key, std::int64_t size) {
    return {size, fmt::format("{} = {}", key, size)};
}

ExpectedAxis expertsAxis(const BlockSpec& block) {
    return {block.moe->experts,
            fmt::format("upcycling.blocks.{}.experts = {}", block.name, block.moe->experts)};
}

Shape ExpectedTensor::shape() const {
    std::vector<std::int64_t> sizes;
    for (const ExpectedAxis& a : axes) sizes.push_back(a.size);
    return Shape(std::move(sizes));
}

std::string expertName(const std::string& name, std::int64_t e) {
    constexpr std::string_view kExpert = "{e}";
    std::string result = name;
    const std::size_t at = result.find(kExpert);
    CORE_CHECK(at != std::string::npos, "an expert's tensor name, found " + name);
    return result.replace(at, kExpert.size(), std::to_string(e));
}

std::vector<ExpectedTensor> expectedTensors(const ModelSpec& spec, const VitNames& names) {
    switch (spec.family) {
        case Family::Vit:
            return vitTensors(spec, names);
        case Family::T5:
            return t5Tensors(spec);
        case Family::Llama:
            break;
    }
    return {};
}

std::unordered_map<std::string_view, MlpTensors> mlpsOf(
    const std::vector<ExpectedTensor>& tensors) {
    std::unordered_map<std::string_view, MlpTensors> mlps;
    for (const ExpectedTensor& tensor : tensors)
        if (tensor.mlp) {
            MlpTensors& mlp = mlps[tensor.block];
            (tensor.experts > 0 ? mlp.experts : mlp.dense).push_back(&tensor);
        }
    for (auto& [block, mlp] : mlps) {
        if (mlp.experts.empty()) continue;
        CORE_CHECK(mlp.dense.size() == 1, "a router beside the experts of " + std::string(block));
        mlp.router = mlp.dense.front();
        mlp.dense.clear();
    }
    return mlps;
}

}  // namespace core
