// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/read_spec_internal.h"
#include "core/model/spec.h"
#include "core/model/vit_tensors_internal.h"

#include <fmt/format.h>

#include <set>

namespace core {
namespace {

constexpr const char* kHint = "config and weights do not belong together; use the pair as saved";

[[noreturn]] void contradict(const std::string& where, const std::string& key,
                             const TensorInfo& tensor, const std::string& expected) {
    throw Error(ErrorKind::BadInput,
                fmt::format("{}: {} contradicts tensor {} {} in {}{}", where, key,
                            printable(tensor.name), toString(tensor.shape), tensor.file, expected),
                kHint);
}

void checkShape(const std::string& where, const ExpectedTensor& expected,
                const TensorInfo& tensor) {
    const Shape shape = expected.shape();
    if (tensor.shape == shape) return;
    std::string key = "the config";
    for (std::size_t a = 0; tensor.shape.rank() == shape.rank() && a < shape.rank(); ++a)
        if (tensor.shape[static_cast<int>(a)] != expected.axes[a].size) {
            key = expected.axes[a].key;
            break;
        }
    contradict(where, key, tensor, ", expected " + toString(shape));
}

void checkTensor(const std::string& where, const ExpectedTensor& expected, const std::string& name,
                 const Checkpoint& checkpoint) {
    const TensorInfo* tensor = checkpoint.find(name);
    if (tensor != nullptr) return checkShape(where, expected, *tensor);
    if (expected.mlp)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: tensor {} {} is missing", checkpoint.folder().string(), name,
                                toString(expected.shape())),
                    "the checkpoint is incomplete, or its config is of another model");
    const std::string bias = ".bias";
    if (name.find(".attention.attention.") != std::string::npos && name.ends_with(bias) &&
        checkpoint.find(name.substr(0, name.size() - bias.size()) + ".weight") != nullptr)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{}: qkv_bias = true contradicts the tensors: {} is missing", where, name),
            kHint);
}

/// Tensors that the config has no place for: a block too many, an expert too many, the other kind
/// of MLP, biases against qkv_bias.
void checkSurplus(const std::string& where, const ModelSpec& spec, const Checkpoint& checkpoint) {
    for (const TensorInfo& tensor : checkpoint.tensors()) {
        const std::optional<BlockTensor> place = blockTensor(spec.family, tensor.name);
        if (!place) continue;
        const std::string blockName = fmt::format("{}.{}", place->stack, place->index);
        const BlockSpec* block = spec.find(blockName);
        if (block == nullptr)
            contradict(where, place->layersKey, tensor, fmt::format(" of a block {}", blockName));
        if (spec.family != Family::Vit) continue;
        const std::optional<std::int64_t> expert = expertOf(place->rest);
        const bool sparse = place->rest.starts_with("mlp.");
        const bool dense = place->rest.starts_with("intermediate.dense.") ||
                           place->rest.starts_with("output.dense.");
        if (sparse && !block->moe)
            contradict(where, fmt::format("upcycling without an entry for {}", blockName), tensor,
                       "");
        if (dense && block->moe)
            contradict(where, fmt::format("upcycling.blocks.{}", blockName), tensor,
                       " of a dense MLP");
        if (expert && *expert >= block->moe->experts)
            contradict(
                where,
                fmt::format("upcycling.blocks.{}.experts = {}", blockName, block->moe->experts),
                tensor, "");
        if (!spec.vit.qkvBias && place->rest.starts_with("attention.attention.") &&
            place->rest.ends_with(".bias"))
            contradict(where, "qkv_bias = false", tensor, "");
    }
}

void refuseUnknowns(const std::string& where, const ModelSpec& spec) {
    if (spec.family == Family::Vit && spec.vit.heads == 0)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: there is no config.json, and the number of attention heads "
                                "cannot be read from the tensors",
                                where),
                    "say it to inspect, plan or convert with --heads N (the hidden size divided by 64 "
                    "in most models; convert writes a config.json), or put the model's config.json "
                    "beside the weights");
}

}  // namespace

void checkAgainstTensors(const ModelSpec& spec, const Checkpoint& checkpoint) {
    const std::string where = configWhere(checkpoint);
    refuseUnknowns(where, spec);
    checkSurplus(where, spec, checkpoint);
    if (spec.family != Family::Vit) return;
    const auto count = static_cast<std::int64_t>(checkpoint.tensors().size());
    for (const BlockSpec& block : spec.blocks)
        if (block.moe && block.moe->experts > count)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: upcycling.blocks.{}.experts = {} contradicts {}, which "
                                    "has {} tensors in all",
                                    where, block.name, block.moe->experts,
                                    checkpoint.folder().string(), count),
                        kHint);
    if (static_cast<std::int64_t>(spec.blocks.size()) > count)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: num_hidden_layers = {} contradicts {}, which has {} tensors "
                                "in all",
                                where, spec.blocks.size(), checkpoint.folder().string(), count),
                    kHint);
    for (const ExpectedTensor& expected : vitTensors(spec, vitNames(checkpoint.tensors()))) {
        if (expected.experts == 0) checkTensor(where, expected, expected.name, checkpoint);
        for (std::int64_t e = 0; e < expected.experts; ++e)
            checkTensor(where, expected, expertName(expected.name, e), checkpoint);
    }
}

ModelSpec readSpec(const Checkpoint& checkpoint) {
    ModelSpec spec = readSpecUnchecked(checkpoint);
    checkAgainstTensors(spec, checkpoint);
    return spec;
}

}  // namespace core
