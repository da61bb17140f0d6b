// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/model/vit_tensors_internal.h"
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

void requireVit(const ModelSpec& spec, const SurgeryPlan& plan) {
    if (spec.family == Family::Vit || plan.layers.empty()) return;
    throw Error(ErrorKind::BadInput,
                fmt::format("{} is in a model of the family {}, whose surgery is not supported",
                            plan.layers.begin()->first, familyName(spec.family)),
                "Vision Transformers (family vit) can be upcycled");
}

std::string denseName(const ExpectedTensor& expert) {
    constexpr std::string_view kPlace = "mlp.experts.expert_{e}.";
    std::string name = expert.name;
    return name.erase(name.find(kPlace), kPlace.size());
}

/// The axis of an MLP tensor that runs over the intermediate neurons, or -1.
int neuronAxis(const ExpectedTensor& tensor) {
    for (std::size_t i = 0; i < tensor.axes.size(); ++i)
        if (tensor.axes[i].key.starts_with("intermediate_size")) return static_cast<int>(i);
    return -1;
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
                  double randomStd, const TensorTable& inputs)
        : block_(block), layer_(layer), seed_(seed), randomStd_(randomStd), inputs_(inputs) {}

    void add(const ExpectedTensor& expected) {
        if (expected.experts == 0) {
            router_ = &expected;
            return;
        }
        experts_.push_back(&expected);
        replaced_.push_back(denseName(expected));
    }

    const std::vector<std::string>& replaced() const { return replaced_; }

    std::vector<TensorRecipe> compile() const {
        std::vector<TensorRecipe> recipes{router()};
        for (std::int64_t e = 0; e < layer_.moe.experts; ++e)
            for (std::size_t i = 0; i < experts_.size(); ++i) recipes.push_back(piece(i, e));
        return recipes;
    }

  private:
    const TensorInfo& input(std::size_t index) const {
        const ExpectedTensor& expert = *experts_[index];
        const std::string& name = replaced_[index];
        const auto found = inputs_.find(name);
        if (found == inputs_.end())
            throw Error(
                ErrorKind::BadInput,
                fmt::format("{}: tensor {} {} is missing", block_, name, toString(expert.shape())),
                "the checkpoint is incomplete, or its config is of another model");
        const TensorInfo& tensor = *found->second;
        if (tensor.shape != expert.shape() || !isFloating(tensor.dtype))
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: tensor {} is {} {}, expected floating-point {}", block_,
                                    name, dtypeName(tensor.dtype), toString(tensor.shape),
                                    toString(expert.shape())),
                        "config and weights do not belong together");
        return tensor;
    }

    TensorRecipe router() const {
        TensorRecipe recipe;
        const DType dtype = input(0).dtype;
        recipe.output = outputInfo(router_->name, dtype, router_->shape());
        recipe.source = TensorRecipe::Source::Router;
        recipe.key = hashName(seed_, router_->name);
        const auto hidden = static_cast<double>(router_->shape()[1]);
        recipe.amount = layer_.routerInit.kind == RouterInit::Kind::Lecun  ? 1 / std::sqrt(hidden)
                        : layer_.routerInit.kind == RouterInit::Kind::Zero ? 0
                                                                           : layer_.routerInit.std;
        return recipe;
    }

    TensorRecipe piece(std::size_t index, std::int64_t e) const {
        const ExpectedTensor& expert = *experts_[index];
        const TensorInfo& source = input(index);
        TensorRecipe recipe;
        recipe.output = outputInfo(expertName(expert.name, e), source.dtype, source.shape);
        recipe.input = source.name;
        recipe.amount = layer_.experts.amount;
        recipe.neuronAxis = neuronAxis(expert);
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
                recipe.amount = expert.decay ? randomStd_ : 0;
                break;
        }
        recipe.key = hashName(seed_, recipe.output.name);
        return recipe;
    }

    const std::string& block_;
    const LayerPlan& layer_;
    std::uint64_t seed_;
    double randomStd_;  ///< of experts that forget the dense MLP: the config's initializer_range
    const TensorTable& inputs_;
    const ExpectedTensor* router_ = nullptr;
    std::vector<const ExpectedTensor*> experts_;
    std::vector<std::string> replaced_;  ///< the dense tensor of each
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
std::vector<TensorRecipe> compileRecipes(const ModelSpec& output,
                                         std::span<const TensorInfo> tensors,
                                         const SurgeryPlan& plan) {
    TensorTable inputs;
    inputs.reserve(tensors.size());
    for (const TensorInfo& tensor : tensors) inputs.emplace(tensor.name, &tensor);
    const VitNames names = vitNames(tensors);
    const std::vector<ExpectedTensor> expected =
        plan.layers.empty() ? std::vector<ExpectedTensor>() : vitTensors(output, names);
    std::vector<std::vector<TensorRecipe>> made;
    std::unordered_map<std::string, std::size_t> replaced;
    for (const auto& [name, layer] : plan.layers) {
        BlockCompiler compiler(name, layer, plan.seed,
                               static_cast<double>(output.vit.initializerRange), inputs);
        const std::string place = names.block(output.find(name)->index);
        for (const ExpectedTensor& tensor : expected)
            if (tensor.mlp && tensor.name.starts_with(place)) compiler.add(tensor);
        for (const std::string& tensor : compiler.replaced()) replaced.emplace(tensor, made.size());
        made.push_back(compiler.compile());
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
    requireVit(spec, plan);
    PlanReport report;
    report.output = plannedSpec(spec, plan);
    checkCount(tensors, plan);
    report.recipes = compileRecipes(report.output, tensors, plan);
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
