// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/expected_tensors_internal.h"
#include "core/model/read_spec_internal.h"
#include "core/model/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

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

enum class MlpKind { None, Dense, Sparse };

/// Which kind of MLP a block's tensor belongs to ("layer.1." of T5 counts the sublayers).
MlpKind mlpKind(Family family, std::string_view rest) {
    if (family == Family::T5) {
        constexpr std::string_view kLayer = "layer.";
        if (!rest.starts_with(kLayer)) return MlpKind::None;
        rest.remove_prefix(std::min(rest.size(), rest.find('.', kLayer.size())));
        if (rest.starts_with(".mlp.router.") || rest.starts_with(".mlp.experts."))
            return MlpKind::Sparse;
        return rest.starts_with(".mlp.") || rest.starts_with(".DenseReluDense.") ? MlpKind::Dense
                                                                                 : MlpKind::None;
    }
    if (rest.starts_with("mlp.")) return MlpKind::Sparse;
    return rest.starts_with("intermediate.dense.") || rest.starts_with("output.dense.")
               ? MlpKind::Dense
               : MlpKind::None;
}

void checkVitBias(const std::string& where, const VitSpec& vit, const std::string& rest,
                  const TensorInfo& tensor) {
    if (!vit.qkvBias && rest.starts_with("attention.attention.") && rest.ends_with(".bias"))
        contradict(where, "qkv_bias = false", tensor, "");
}

void checkT5Gate(const std::string& where, const T5Spec& t5, const std::string& rest,
                 const TensorInfo& tensor) {
    const bool gated = rest.ends_with(".wi_0.weight") || rest.ends_with(".wi_1.weight");
    if (t5.gated ? rest.ends_with(".wi.weight") : gated)
        contradict(where,
                   t5.gated ? "feed_forward_proj of a gated MLP" : "feed_forward_proj without gate",
                   tensor, "");
}

/// Tensors that the config has no place for: a block too many, an expert too many, the other kind
/// of MLP, biases against qkv_bias, gates against feed_forward_proj.
void checkSurplus(const std::string& where, const ModelSpec& spec, const Checkpoint& checkpoint) {
    const std::string setting =
        spec.t5.switchNames ? "the sparse step" : "upcycling without an entry";
    std::unordered_map<std::string_view, const BlockSpec*> blocks;
    for (const BlockSpec& block : spec.blocks) blocks.emplace(block.name, &block);
    for (const TensorInfo& tensor : checkpoint.tensors()) {
        const std::optional<BlockTensor> place = blockTensor(spec.family, tensor.name);
        if (!place) continue;
        const std::string blockName = fmt::format("{}.{}", place->stack, place->index);
        const auto found = blocks.find(blockName);
        if (found == blocks.end())
            contradict(where, place->layersKey, tensor, fmt::format(" of a block {}", blockName));
        if (spec.family == Family::Llama) continue;
        const BlockSpec* block = found->second;
        const std::optional<std::int64_t> expert = expertOf(place->rest);
        const MlpKind kind = mlpKind(spec.family, place->rest);
        if (kind == MlpKind::Sparse && !block->moe)
            contradict(where, fmt::format("{} for {}", setting, blockName), tensor, "");
        if (kind == MlpKind::Dense && block->moe)
            contradict(where, fmt::format("upcycling.blocks.{}", blockName), tensor,
                       " of a dense MLP");
        if (expert && block->moe && *expert >= block->moe->experts)
            contradict(
                where,
                fmt::format("upcycling.blocks.{}.experts = {}", blockName, block->moe->experts),
                tensor, "");
        if (spec.family == Family::Vit) checkVitBias(where, spec.vit, place->rest, tensor);
        if (kind != MlpKind::None && spec.family == Family::T5)
            checkT5Gate(where, spec.t5, place->rest, tensor);
    }
}

void refuseUnknowns(const std::string& where, const ModelSpec& spec) {
    const bool noHeads = (spec.family == Family::Vit && spec.vit.heads == 0) ||
                         (spec.family == Family::T5 && spec.t5.heads == 0);
    if (noHeads)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{}: there is no config.json, and the number of attention heads "
                        "cannot be read from the tensors",
                        where),
            "say it to inspect, plan or convert with --heads N (the hidden size divided by 64 "
            "in most models; convert writes a config.json), or put the model's config.json "
            "beside the weights");
    if (spec.family == Family::T5 && spec.t5.dModel == 0)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: there is no config.json, and no tensor shared.weight "
                                "[vocabulary, d_model]",
                                where),
                    "put the model's config.json beside the weights");
}

/// Numbers of blocks and experts beyond what the files could hold, before a name of them is made.
void checkCounts(const std::string& where, const ModelSpec& spec, const Checkpoint& checkpoint) {
    const auto count = static_cast<std::int64_t>(checkpoint.tensors().size());
    for (const BlockSpec& block : spec.blocks)
        if (block.moe && block.moe->experts > count)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: upcycling.blocks.{}.experts = {} contradicts {}, which "
                                    "has {} tensors in all",
                                    where, block.name, block.moe->experts,
                                    checkpoint.folder().string(), count),
                        kHint);
    const auto blocks = static_cast<std::int64_t>(spec.blocks.size());
    if (blocks > count)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{}: {} = {} contradicts {}, which has {} tensors in all", where,
                        spec.family == Family::T5 ? "num_layers and num_decoder_layers, together"
                                                  : "num_hidden_layers",
                        blocks, checkpoint.folder().string(), count),
            kHint);
}

}  // namespace

void checkAgainstTensors(const ModelSpec& spec, const Checkpoint& checkpoint) {
    const std::string where = configWhere(checkpoint);
    refuseUnknowns(where, spec);
    checkSurplus(where, spec, checkpoint);
    if (spec.family == Family::Llama) return;
    checkCounts(where, spec, checkpoint);
    for (const ExpectedTensor& expected : expectedTensors(spec, vitNames(checkpoint.tensors()))) {
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
