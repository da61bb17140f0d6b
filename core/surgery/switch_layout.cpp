// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/switch_layout.h"

#include "core/base/error.h"
#include "core/model/t5_config_internal.h"
#include "core/model/t5_tensors_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

using config::Json;

/// More tokens than any sequence has: nothing is dropped.
constexpr std::int64_t kUnbounded = std::numeric_limits<std::int32_t>::max();

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::BadInput, "SwitchTransformers cannot hold this model: " + what, hint);
}

void requireDenseParts(const ModelSpec& spec) {
    if (spec.family != Family::T5)
        refuse(fmt::format("it is of the family {}", familyName(spec.family)),
               "the layout switch is for T5; export in the layout hf");
    if (spec.t5.switchNames)
        refuse("it is a SwitchTransformers checkpoint already", "export in the layout hf");
    if (spec.t5.gated)
        refuse("its MLPs are gated (wi_0 and wi_1, T5 v1.1), that class has wi alone",
               "take a T5 v1.0, or export in the layout hf");
    if (spec.t5.decoderLayers == 0) refuse("it has no decoder", "export in the layout hf");
}

void requireRouting(const BlockSpec& block) {
    const MoeSpec& moe = *block.moe;
    const auto require = [&](bool fits, const std::string& found, const std::string& hint) {
        if (!fits) refuse(fmt::format("{} has {}", block.name, found), hint);
    };
    require(
        moe.router == RouterKind::TopK,
        fmt::format("the router {}, that class has top-k with k = 1 alone", routerName(moe.router)),
        "plan with --router top-k --k 1");
    require(moe.k == 1, fmt::format("k = {}, that class has k = 1 alone", moe.k),
            "plan with --k 1");
    require(moe.order == TopKOrder::SoftmaxTopK,
            "the order topk-softmax, that class takes the softmax first",
            "plan with --order softmax-topk");
    require(!moe.renormalize, "renormalize on, that class weighs by the probability itself",
            "plan with --renormalize off");
    require(!moe.batchPriority, "batch_priority on, that class goes by position",
            "plan with --batch-priority off");
    require(moe.dropless || moe.group.kind == GroupSize::Kind::Sequence,
            fmt::format("the group size {}, that class counts capacity within each sequence",
                        toString(moe.group)),
            "plan with --group-size sequence, or --dropless");
}

/// The settings that all sparse blocks share: that class has one number for each.
MoeSpec commonMoe(const ModelSpec& spec) {
    const BlockSpec* first = nullptr;
    for (const BlockSpec& block : spec.blocks) {
        if (!block.moe) continue;
        requireRouting(block);
        if (first == nullptr) first = &block;
        const MoeSpec& moe = *block.moe;
        const MoeSpec& other = *first->moe;
        if (moe.experts != other.experts)
            refuse(
                fmt::format("{} has {} experts, {} has {}, and that class has one number for all",
                            first->name, other.experts, block.name, moe.experts),
                "plan with the same --experts for all blocks");
        if (moe.dropless != other.dropless || (!moe.dropless && moe.capacity != other.capacity))
            refuse(fmt::format("{} and {} have different capacities, and that class has one "
                               "number for all",
                               first->name, block.name),
                   "plan with the same --capacity for all blocks");
    }
    if (first == nullptr)
        refuse("it has no MoE block", "convert it with a plan, or export in the layout hf");
    return *first->moe;
}

/// The step of a stack's sparse blocks; 0 without any.
std::int64_t stepOf(const ModelSpec& spec, const std::string& stack) {
    std::vector<bool> sparse;
    for (const BlockSpec& block : spec.blocks)
        if (block.stack == stack) sparse.push_back(block.moe.has_value());
    const auto layers = static_cast<std::int64_t>(sparse.size());
    const std::int64_t count = std::count(sparse.begin(), sparse.end(), true);
    if (count == 0) return 0;
    const auto fits = [&](std::int64_t step) {
        for (std::int64_t i = 0; i < layers; ++i)
            if (sparse[static_cast<std::size_t>(i)] != isSwitchSparse(i, step)) return false;
        return true;
    };
    if (fits(layers / count)) return layers / count;
    for (std::int64_t step = 1; step <= layers; ++step)
        if (fits(step)) return step;
    refuse(fmt::format("the MoE blocks of the {} are not every n-th one from block 1 on "
                       "(1, 1 + n, 1 + 2 n, ...)",
                       stack),
           "plan with --preset every-other (blocks 1, 3, 5, ...) or all");
}

std::int64_t expertCapacity(const MoeSpec& moe, std::int64_t sequence) {
    if (moe.dropless) return kUnbounded;
    const auto n = static_cast<double>(sequence);
    const double tokens = std::ceil(moe.capacity * n / static_cast<double>(moe.experts) - 1e-9);
    return static_cast<std::int64_t>(std::min(n, std::max(1.0, tokens)));
}

std::int64_t sparseBlocks(const ModelSpec& spec, const std::string& stack) {
    return std::count_if(spec.blocks.begin(), spec.blocks.end(),
                         [&](const BlockSpec& block) { return block.stack == stack && block.moe; });
}

/// That class scales the output exactly when all its embeddings are one matrix.
bool isTied(const T5Spec& t5) { return t5.tiedEmbeddings && t5.scaledOutput; }

Json switchConfig(const ModelSpec& spec, const MoeSpec& moe, Json json,
                  std::vector<std::string>& notes) {
    const T5Spec& t5 = spec.t5;
    const Json numbers = t5ToConfig(t5);
    for (const auto& [key, value] : numbers.items()) json[key] = value;
    for (const char* key :
         {"upcycling", "auto_map", "feed_forward_proj", "is_gated_act", "scale_decoder_outputs"})
        json.erase(key);
    json["tie_word_embeddings"] = isTied(t5);
    json["architectures"] = {"SwitchTransformersForConditionalGeneration"};
    json["model_type"] = "switch_transformers";
    json["dense_act_fn"] = config::activationName(t5.activation);
    json["num_experts"] = moe.experts;
    const std::int64_t sequence = switchSequence(config::Reader(json, "config.json"));
    json["expert_capacity"] = expertCapacity(moe, sequence);
    if (!moe.dropless)
        notes.push_back(
            fmt::format("expert_capacity = {} stands for capacity {} in sequences of {} tokens; "
                        "SwitchTransformers keeps that number whatever the length",
                        json["expert_capacity"].get<std::int64_t>(), moe.capacity, sequence));
    for (const std::string stack : {"encoder", "decoder"}) {
        json[fmt::format("num_sparse_{}_layers", stack)] = sparseBlocks(spec, stack);
        json[fmt::format("{}_sparse_step", stack)] = stepOf(spec, stack);
    }
    json["router_bias"] = false;
    json["router_jitter_noise"] = 0.0;
    json["router_dtype"] = "float32";
    json["router_ignore_padding_tokens"] = false;
    return json;
}

std::string switchName(std::string name) {
    constexpr std::string_view kDense = ".DenseReluDense.";
    const std::size_t at = name.find(kDense);
    return at == std::string::npos ? name : name.replace(at, kDense.size(), ".mlp.");
}

/// Without tied embeddings that class keeps a matrix for each stack and for the output beside
/// shared.weight, and takes random numbers where a file has none.
void addEmbeddings(std::vector<TensorRecipe>& recipes, std::vector<std::string>& notes) {
    const auto named = [&](const std::string& name) {
        return std::find_if(recipes.begin(), recipes.end(),
                            [&](const TensorRecipe& recipe) { return recipe.output.name == name; });
    };
    for (const char* name :
         {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}) {
        const auto shared = named("shared.weight");
        if (named(name) != recipes.end() || shared == recipes.end()) continue;
        TensorRecipe copy = *shared;
        copy.output.name = name;
        recipes.insert(shared + 1, std::move(copy));
        notes.push_back(
            fmt::format("{} is written as a copy of shared.weight: SwitchTransformers "
                        "has one for each place when tie_word_embeddings is false",
                        name));
    }
}

}  // namespace

SwitchLayout toSwitchLayout(const ModelSpec& spec, std::vector<TensorRecipe> recipes,
                            const std::string& configText) {
    requireDenseParts(spec);
    const MoeSpec moe = commonMoe(spec);
    SwitchLayout layout;
    Json json =
        configText.empty() ? Json::object() : config::parseObject(configText, "config.json");
    layout.configText = switchConfig(spec, moe, std::move(json), layout.notes).dump(2) + "\n";
    for (TensorRecipe& recipe : recipes) {
        if (t5Extra(spec.t5, recipe.output.name) == T5Extra::Stray) {
            layout.notes.push_back(recipe.output.name + " is left out: nothing uses it");
            continue;
        }
        recipe.output.name = switchName(std::move(recipe.output.name));
        layout.recipes.push_back(std::move(recipe));
    }
    if (!isTied(spec.t5)) addEmbeddings(layout.recipes, layout.notes);
    return layout;
}

}  // namespace core
