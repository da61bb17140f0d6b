// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/model/expected_tensors_internal.h"
#include "core/surgery/plan_warnings.h"
#include "core/surgery/report.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <unordered_map>

namespace core {
namespace {

constexpr std::uint64_t kMostTensors = 500'000;

using TensorTable = std::unordered_map<std::string_view, const TensorInfo*>;

ModelSpec plannedSpec(const ModelSpec& spec, const SurgeryPlan& plan) {
    ModelSpec output = spec;
    for (const auto& [name, layer] : plan.layers) {
        BlockSpec* block = nullptr;
        for (BlockSpec& candidate : output.blocks)
            if (candidate.name == name) block = &candidate;
        if (block == nullptr)
            throw Error(
                ErrorKind::BadInput,
                fmt::format("the plan names {}, which is no block of this model", printable(name)),
                output.blocks.empty()
                    ? "the model has no blocks"
                    : fmt::format("its blocks are {} to {}", output.blocks.front().name,
                                  output.blocks.back().name));
        if (block->moe)
            throw Error(
                ErrorKind::BadInput,
                fmt::format("the plan converts {}, which is a Mixture of Experts already", name),
                "take this block out of the plan");
        validate(layer.moe, name, block->stack == "decoder");
        block->moe = layer.moe;
    }
    return output;
}

/// Surgery needs to know the names of an MLP, and a config that can say which blocks are sparse.
void requireSurgery(const ModelSpec& spec, const SurgeryPlan& plan) {
    if (plan.layers.empty()) return;
    const std::string& block = plan.layers.begin()->first;
    if (spec.family == Family::Llama)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is in a model of the family {}, whose surgery is not supported",
                                printable(block), familyName(spec.family)),
                    "Vision Transformers (family vit) and T5 (family t5) can be upcycled");
    if (spec.family == Family::T5 && spec.t5.switchNames)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is in a SwitchTransformers model, which is a Mixture of "
                                "Experts already",
                                printable(block)),
                    "upcycle the dense T5 that it came from");
}

TensorInfo outputInfo(std::string name, DType dtype, Shape shape) {
    TensorInfo info;
    info.name = std::move(name);
    info.dtype = dtype;
    info.shape = std::move(shape);
    info.bytes = static_cast<std::uint64_t>(info.shape.elements()) * dtypeBytes(dtype);
    return info;
}

/// Recipes of one converted block: its router, then expert after expert.
class BlockCompiler {
  public:
    BlockCompiler(const std::string& block, const LayerPlan& layer, std::uint64_t seed,
                  const MlpTensors& before, const MlpTensors& after, const TensorTable& inputs)
        : block_(block),
          layer_(layer),
          seed_(seed),
          before_(before),
          after_(after),
          inputs_(inputs) {}

    std::vector<TensorRecipe> compile() const {
        std::vector<TensorRecipe> recipes{router()};
        for (std::int64_t e = 0; e < layer_.moe.experts; ++e)
            for (std::size_t i = 0; i < after_.experts.size(); ++i) recipes.push_back(piece(i, e));
        return recipes;
    }

  private:
    const TensorInfo& input(std::size_t index) const {
        const ExpectedTensor& dense = *before_.dense[index];
        const auto found = inputs_.find(dense.name);
        if (found == inputs_.end())
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: tensor {} {} is missing", block_, dense.name,
                                    toString(dense.shape())),
                        "the checkpoint is incomplete, or its config is of another model");
        const TensorInfo& tensor = *found->second;
        if (tensor.shape != dense.shape() || !isFloating(tensor.dtype))
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: tensor {} is {} {}, expected floating-point {}", block_,
                                    dense.name, dtypeName(tensor.dtype), toString(tensor.shape),
                                    toString(dense.shape())),
                        "config and weights do not belong together");
        return tensor;
    }

    TensorRecipe router() const {
        TensorRecipe recipe;
        const DType dtype = input(0).dtype;
        const ExpectedTensor& router = *after_.router;
        recipe.output = outputInfo(router.name, dtype, router.shape());
        recipe.source = TensorRecipe::Source::Router;
        recipe.key = hashName(seed_, router.name);
        const auto hidden = static_cast<double>(router.shape()[1]);
        recipe.amount = layer_.routerInit.kind == RouterInit::Kind::Lecun  ? 1 / std::sqrt(hidden)
                        : layer_.routerInit.kind == RouterInit::Kind::Zero ? 0
                                                                           : layer_.routerInit.std;
        return recipe;
    }

    TensorRecipe piece(std::size_t index, std::int64_t e) const {
        const ExpectedTensor& expert = *after_.experts[index];
        const TensorInfo& source = input(index);
        TensorRecipe recipe;
        recipe.output = outputInfo(expertName(expert.name, e), source.dtype, source.shape);
        recipe.input = source.name;
        recipe.amount = layer_.experts.amount;
        recipe.neuronAxis = expert.neuronAxis;
        switch (layer_.experts.kind) {
            case ExpertInit::Kind::Copy:
                return recipe;
            case ExpertInit::Kind::Noise:
                recipe.source = TensorRecipe::Source::Noise;
                break;
            case ExpertInit::Kind::Drop:
                if (recipe.neuronAxis < 0) return recipe;
                recipe.source = TensorRecipe::Source::Drop;
                recipe.neuronKey = hashName(seed_, fmt::format("{}/expert_{}", block_, e));
                break;
            case ExpertInit::Kind::Random:
                recipe.source = TensorRecipe::Source::Random;
                recipe.input.clear();
                recipe.amount = expert.decay ? expert.initialStd : 0;
                break;
        }
        recipe.key = hashName(seed_, recipe.output.name);
        return recipe;
    }

    const std::string& block_;
    const LayerPlan& layer_;
    std::uint64_t seed_;
    const MlpTensors& before_;
    const MlpTensors& after_;
    const TensorTable& inputs_;
};

/// The computed experts need a type that f32 can be rounded to.
void checkMade(const std::vector<TensorRecipe>& recipes) {
    for (const TensorRecipe& recipe : recipes)
        if (recipe.source != TensorRecipe::Source::Copy && dtypeBytes(recipe.output.dtype) == 1)
            throw Error(ErrorKind::BadInput,
                        fmt::format("tensor {} would be made in {}, which is only copied",
                                    recipe.output.name, dtypeName(recipe.output.dtype)),
                        "convert the checkpoint to bf16 or f32 first");
}

void checkCount(std::span<const TensorInfo> tensors, const SurgeryPlan& plan) {
    std::uint64_t count = tensors.size();
    for (const auto& [block, layer] : plan.layers)
        count += 4 * static_cast<std::uint64_t>(layer.moe.experts);
    if (count > kMostTensors)
        throw Error(ErrorKind::BadInput,
                    fmt::format("the plan makes about {} tensors, a checkpoint holds at most {}",
                                count, kMostTensors),
                    "choose fewer experts or fewer layers");
}

/// Recipes of the converted blocks in place of the first tensor that each replaces.
std::vector<TensorRecipe> compileRecipes(const ModelSpec& spec, const ModelSpec& output,
                                         std::span<const TensorInfo> tensors,
                                         const SurgeryPlan& plan) {
    TensorTable inputs;
    inputs.reserve(tensors.size());
    for (const TensorInfo& tensor : tensors) inputs.emplace(tensor.name, &tensor);
    std::vector<std::vector<TensorRecipe>> made;
    std::unordered_map<std::string, std::size_t> replaced;
    if (!plan.layers.empty()) {
        const VitNames names = vitNames(tensors);
        const std::vector<ExpectedTensor> before = expectedTensors(spec, names);
        const std::vector<ExpectedTensor> after = expectedTensors(output, names);
        const auto denseMlps = mlpsOf(before);
        const auto sparseMlps = mlpsOf(after);
        for (const auto& [name, layer] : plan.layers) {
            const MlpTensors& dense = denseMlps.at(name);
            for (const ExpectedTensor* tensor : dense.dense)
                replaced.emplace(tensor->name, made.size());
            made.push_back(BlockCompiler(name, layer, plan.seed, dense, sparseMlps.at(name), inputs)
                               .compile());
        }
    }
    std::vector<TensorRecipe> recipes;
    for (const TensorInfo& tensor : tensors) {
        const auto block = replaced.find(tensor.name);
        if (block == replaced.end()) {
            TensorRecipe& recipe = recipes.emplace_back();
            recipe.output = outputInfo(tensor.name, tensor.dtype, tensor.shape);
            recipe.input = tensor.name;
            continue;
        }
        std::vector<TensorRecipe>& parts = made[block->second];
        std::move(parts.begin(), parts.end(), std::back_inserter(recipes));
        parts.clear();
    }
    return recipes;
}

}  // namespace

PlanReport compilePlan(const ModelSpec& spec, std::span<const TensorInfo> tensors,
                       const SurgeryPlan& plan, std::int64_t trainingBatch) {
    requireSurgery(spec, plan);
    PlanReport report;
    report.output = plannedSpec(spec, plan);
    checkCount(tensors, plan);
    report.recipes = compileRecipes(spec, report.output, tensors, plan);
    checkMade(report.recipes);
    std::vector<TensorInfo> outputs;
    outputs.reserve(report.recipes.size());
    for (const TensorRecipe& recipe : report.recipes) outputs.push_back(recipe.output);
    report.trainingBatch = trainingBatch;
    report.before = modelCost(spec, tensors, trainingBatch);
    report.after = modelCost(report.output, outputs, trainingBatch);
    report.warnings = planWarnings(spec, plan);
    return report;
}

}  // namespace core
