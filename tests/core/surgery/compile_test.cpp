// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/report.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <set>

namespace core::test {
namespace {

/// Headers of a dense model, as compilePlan sees them.
std::vector<TensorInfo> headers(const SmallVit& vit) {
    std::vector<TensorInfo> infos;
    for (const Parameter& parameter : describeParameters(vit.spec())) {
        TensorInfo& info = infos.emplace_back();
        info.name = parameter.name;
        info.dtype = vit.dtype;
        info.shape = parameter.shape;
        info.bytes = static_cast<std::uint64_t>(info.shape.elements()) * dtypeBytes(vit.dtype);
    }
    return infos;
}

PlanReport compiled(const SurgeryPlan& plan, const SmallVit& vit = {}) {
    return compilePlan(vit.spec(), headers(vit), plan);
}

const TensorRecipe& recipeOf(const PlanReport& report, const std::string& name) {
    for (const TensorRecipe& recipe : report.recipes)
        if (recipe.output.name == name) return recipe;
    throw std::runtime_error("no recipe of " + name);
}

std::vector<std::string> warningsOf(const PlanReport& report, const std::string& block) {
    std::vector<std::string> texts;
    for (const PlanWarning& warning : report.warnings)
        if (warning.block == block) texts.push_back(warning.text);
    return texts;
}

bool warns(const SurgeryPlan& plan, const std::string& part) {
    for (const PlanWarning& warning : compiled(plan).warnings)
        if (contains(warning.text, part)) return true;
    return false;
}

TEST(Compile, NothingToDoIsACopyOfEverything) {
    const SmallVit vit;
    const PlanReport report = compiled({});
    const std::vector<TensorInfo> tensors = headers(vit);
    ASSERT_EQ(report.recipes.size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        EXPECT_EQ(report.recipes[i].output.name, tensors[i].name);
        EXPECT_EQ(report.recipes[i].input, tensors[i].name);
        EXPECT_EQ(report.recipes[i].source, TensorRecipe::Source::Copy);
    }
    EXPECT_EQ(report.before.parameters, report.after.parameters);
    EXPECT_TRUE(report.warnings.empty());
}

TEST(Compile, AConvertedBlockHasCopiesARouterAndNothingElse) {
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(3);
    const PlanReport report = compiled(plan);
    EXPECT_EQ(report.recipes.size(), headers({}).size() - 4 + 3 * 4 + 1);
    std::set<std::string> names;
    for (const TensorRecipe& recipe : report.recipes) names.insert(recipe.output.name);
    EXPECT_EQ(names.size(), report.recipes.size());
    for (const std::string& piece : mlpPieces()) {
        EXPECT_FALSE(names.contains(denseTensor(2, piece)));
        EXPECT_TRUE(names.contains(denseTensor(1, piece)));
        for (int e = 0; e < 3; ++e) {
            const TensorRecipe& recipe = recipeOf(report, expertTensor(2, e, piece));
            EXPECT_EQ(recipe.input, denseTensor(2, piece));
            EXPECT_EQ(recipe.source, TensorRecipe::Source::Copy);
        }
    }
    const TensorRecipe& router =
        recipeOf(report, "vit.encoder.layer.2.mlp.router.classifier.weight");
    EXPECT_EQ(router.output.shape, (Shape{3, 8}));
    EXPECT_EQ(router.source, TensorRecipe::Source::Router);
    EXPECT_EQ(router.amount, 0.02);
    EXPECT_EQ(report.output.blocks[2].moe, plan.layers["encoder.2"].moe);
    EXPECT_FALSE(report.output.blocks[1].moe);
}

TEST(Compile, RandomStreamsAreApartAndRepeatable) {
    SurgeryPlan plan;
    plan.seed = 7;
    plan.layers["encoder.1"] = moeLayer(4, {ExpertInit::Kind::Drop, 0.5});
    plan.layers["encoder.3"] = moeLayer(4, {ExpertInit::Kind::Noise, 0.1});
    const PlanReport report = compiled(plan);
    std::set<std::uint64_t> keys;
    std::size_t random = 0;
    for (const TensorRecipe& recipe : report.recipes)
        if (recipe.source != TensorRecipe::Source::Copy) {
            keys.insert(recipe.key);
            ++random;
        }
    EXPECT_EQ(keys.size(), random);
    const std::uint64_t neurons =
        recipeOf(report, expertTensor(1, 2, "intermediate.dense.weight")).neuronKey;
    EXPECT_EQ(recipeOf(report, expertTensor(1, 2, "intermediate.dense.bias")).neuronKey, neurons);
    EXPECT_EQ(recipeOf(report, expertTensor(1, 2, "output.dense.weight")).neuronKey, neurons);
    EXPECT_NE(recipeOf(report, expertTensor(1, 3, "output.dense.weight")).neuronKey, neurons);
    EXPECT_EQ(recipeOf(report, expertTensor(1, 2, "intermediate.dense.weight")).neuronAxis, 0);
    EXPECT_EQ(recipeOf(report, expertTensor(1, 2, "output.dense.weight")).neuronAxis, 1);
    EXPECT_EQ(recipeOf(report, expertTensor(1, 2, "output.dense.bias")).source,
              TensorRecipe::Source::Copy);
    plan.seed = 8;
    EXPECT_FALSE(
        keys.contains(recipeOf(compiled(plan), expertTensor(1, 2, "output.dense.weight")).key));
}

TEST(Compile, PlansThatCannotWorkNameTheirBlock) {
    const auto refused = [](const SurgeryPlan& plan, const std::string& part) {
        const std::string text = errorOf(ErrorKind::BadInput, [&] { compiled(plan); });
        EXPECT_TRUE(contains(text, part)) << text;
    };
    SurgeryPlan plan;
    plan.layers["encoder.4"] = moeLayer(4);
    refused(plan, "encoder.4");
    plan.layers = {{"encoder.1", moeLayer(0)}};
    refused(plan, "encoder.1: experts is 0");
    plan.layers = {{"encoder.1", moeLayer(1'000'000'000)}};
    refused(plan, "encoder.1: experts is 1000000000");
    LayerPlan layer = moeLayer(4);
    layer.moe.capacity = std::numeric_limits<double>::quiet_NaN();
    plan.layers = {{"encoder.1", layer}};
    refused(plan, "encoder.1: capacity is nan");
    layer = moeLayer(4);
    layer.moe.router = RouterKind::TopK;
    layer.moe.k = 5;
    plan.layers = {{"encoder.1", layer}};
    refused(plan, "encoder.1: k is 5");
    plan.layers = {{"encoder.0", moeLayer(65536)},
                   {"encoder.1", moeLayer(65536)},
                   {"encoder.2", moeLayer(65536)}};
    refused(plan, "tensors");
}

TEST(Compile, SparseBlocksAreLeftAloneOrRefused) {
    ModelSpec spec = SmallVit{}.spec();
    SurgeryPlan first;
    first.layers["encoder.2"] = moeLayer(2);
    const PlanReport once = compiled(first);
    std::vector<TensorInfo> tensors;
    for (const TensorRecipe& recipe : once.recipes) tensors.push_back(recipe.output);
    SurgeryPlan second;
    second.layers["encoder.3"] = moeLayer(4);
    const PlanReport twice = compilePlan(once.output, tensors, second);
    EXPECT_EQ(twice.recipes.size(), tensors.size() - 4 + 4 * 4 + 1);
    EXPECT_EQ(recipeOf(twice, expertTensor(2, 1, "output.dense.bias")).input,
              expertTensor(2, 1, "output.dense.bias"));
    second.layers["encoder.2"] = moeLayer(4);
    const std::string text =
        errorOf(ErrorKind::BadInput, [&] { compilePlan(once.output, tensors, second); });
    EXPECT_TRUE(contains(text, "encoder.2")) << text;
}

TEST(Compile, MissingAndMisshapenMlpTensorsAreNamed) {
    SurgeryPlan plan;
    plan.layers["encoder.1"] = moeLayer(2);
    std::vector<TensorInfo> tensors = headers({});
    const std::string name = denseTensor(1, "output.dense.weight");
    std::erase_if(tensors, [&](const TensorInfo& tensor) { return tensor.name == name; });
    std::string text =
        errorOf(ErrorKind::BadInput, [&] { compilePlan(SmallVit{}.spec(), tensors, plan); });
    EXPECT_TRUE(contains(text, name) && contains(text, "missing")) << text;
    tensors = headers({});
    for (TensorInfo& tensor : tensors)
        if (tensor.name == name) tensor.shape = {8, 13};
    text = errorOf(ErrorKind::BadInput, [&] { compilePlan(SmallVit{}.spec(), tensors, plan); });
    EXPECT_TRUE(contains(text, name) && contains(text, "[8, 13]")) << text;
}

TEST(Compile, OtherFamiliesAreRefusedInWords) {
    ModelSpec spec;
    spec.family = Family::Llama;
    spec.blocks.push_back({"decoder.0", "decoder", 0, {}});
    SurgeryPlan plan;
    plan.layers["decoder.0"] = moeLayer(2);
    plan.layers["decoder.0"].moe.router = RouterKind::TopK;
    const std::string text = errorOf(ErrorKind::BadInput, [&] { compilePlan(spec, {}, plan); });
    EXPECT_TRUE(contains(text, "llama")) << text;
}

TEST(Compile, WarnsOfWhatMayDisappoint) {
    SurgeryPlan plan;
    const auto with = [&](auto change) {
        plan.layers = {{"encoder.2", moeLayer(8)}};
        change(plan.layers["encoder.2"]);
        return plan;
    };
    EXPECT_TRUE(compiled(with([](LayerPlan&) {})).warnings.empty());
    plan.layers = {{"encoder.0", moeLayer(8)}};
    EXPECT_EQ(warningsOf(compiled(plan), "encoder.0").size(), 1U);
    EXPECT_TRUE(warns(plan, "very first block"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) { l.routerInit.kind = RouterInit::Kind::Zero; }),
                      "zero router"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) { l.moe.renormalize = false; }), "renormalize"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) { l.moe.capacity = 9; }), "capacity 9"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) { l.moe.capacity = 0.5; }), "without an expert"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) { l.moe.experts = 1; }), "one expert"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) {
                          l.experts = {ExpertInit::Kind::Noise, 1};
                      }),
                      "noise of 1"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) {
                          l.experts = {ExpertInit::Kind::Drop, 0.8};
                      }),
                      "80 %"));
    EXPECT_TRUE(warns(with([](LayerPlan& l) { l.experts.kind = ExpertInit::Kind::Random; }),
                      "random experts"));
    const auto topK = [](int k, double capacity) {
        return [=](LayerPlan& l) {
            l.moe.router = RouterKind::TopK;
            l.moe.k = k;
            l.moe.capacity = capacity;
        };
    };
    EXPECT_TRUE(warns(with(topK(8, 8)), "k = 8 uses every expert"));
    EXPECT_TRUE(warns(with(topK(2, 1)), "50 % of the assignments"));
    EXPECT_TRUE(compiled(with(topK(2, 2))).warnings.empty());
    plan.layers = {{"encoder.2", moeLayer(7)}};
    EXPECT_TRUE(compiled(plan).warnings.empty()) << "seven experts are as good as eight";
}

}  // namespace
}  // namespace core::test
