// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/switch_layout.h"

#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace core::test {
namespace {

LayerPlan topOne(std::int64_t experts) {
    LayerPlan layer = moeLayer(experts);
    layer.moe.router = RouterKind::TopK;
    layer.moe.k = 1;
    layer.moe.renormalize = false;
    layer.moe.dropless = true;
    return layer;
}

SurgeryPlan planOf(const std::vector<std::string>& blocks, const LayerPlan& layer) {
    SurgeryPlan plan;
    for (const std::string& block : blocks) plan.layers[block] = layer;
    return plan;
}

const std::vector<std::string> kEveryOther{"encoder.1", "encoder.3", "decoder.1", "decoder.3"};

SwitchLayout layoutOf(const SurgeryPlan& plan, const SmallT5& t5 = {.gated = false}) {
    std::vector<TensorInfo> tensors;
    for (const Parameter& parameter : describeParameters(t5.spec())) {
        TensorInfo& info = tensors.emplace_back();
        info.name = parameter.name;
        info.shape = parameter.shape;
    }
    PlanReport report = compilePlan(t5.spec(), tensors, plan);
    return toSwitchLayout(report.output, std::move(report.recipes), t5.config());
}

void expectRefusal(const SurgeryPlan& plan, const std::vector<std::string>& words,
                   const SmallT5& t5 = {.gated = false}) {
    const std::string text = errorOf(ErrorKind::BadInput, [&] { layoutOf(plan, t5); });
    for (const std::string& word : words) EXPECT_TRUE(contains(text, word)) << text;
}

TEST(SwitchLayout, CarriesNamesAndNumbersOfThatClass) {
    const SwitchLayout layout = layoutOf(planOf(kEveryOther, topOne(4)));
    std::set<std::string> names;
    for (const TensorRecipe& recipe : layout.recipes) names.insert(recipe.output.name);
    EXPECT_TRUE(names.contains("encoder.block.0.layer.1.mlp.wi.weight"));
    EXPECT_TRUE(names.contains("decoder.block.2.layer.2.mlp.wo.weight"));
    EXPECT_TRUE(names.contains("decoder.block.3.layer.2.mlp.experts.expert_3.wo.weight"));
    EXPECT_TRUE(names.contains("encoder.block.1.layer.1.mlp.router.classifier.weight"));
    for (const std::string& name : names) EXPECT_FALSE(contains(name, "DenseReluDense")) << name;
    EXPECT_TRUE(layout.notes.empty());

    const auto config = nlohmann::json::parse(layout.configText);
    EXPECT_EQ(config["model_type"], "switch_transformers");
    EXPECT_EQ(config["architectures"][0], "SwitchTransformersForConditionalGeneration");
    EXPECT_EQ(config["num_experts"], 4);
    EXPECT_EQ(config["expert_capacity"], 2147483647);
    EXPECT_EQ(config["encoder_sparse_step"], 2);
    EXPECT_EQ(config["num_sparse_decoder_layers"], 2);
    EXPECT_EQ(config["dense_act_fn"], "relu");
    EXPECT_EQ(config["d_model"], 6);
    EXPECT_EQ(config["num_decoder_layers"], 4);
    EXPECT_FALSE(config.contains("feed_forward_proj"));
    EXPECT_FALSE(config.contains("upcycling"));
}

TEST(SwitchLayout, IsReadBackAsWhatItWas) {
    const TemporaryFolder folder;
    const auto dense =
        SmallT5{.gated = false, .further = "\"n_positions\": 64,"}.write(folder / "dense");
    LayerPlan layer = topOne(4);
    layer.moe.dropless = false;
    layer.moe.capacity = 1.5;
    layer.moe.group = {GroupSize::Kind::Sequence, 0};
    ConvertOptions options;
    options.layout = LayoutChoice::Switch;
    const ConvertResult result =
        convert(*dense, planOf(kEveryOther, layer), folder / "switch", options);
    ASSERT_EQ(result.notes.size(), 1U);
    EXPECT_TRUE(contains(result.notes[0], "expert_capacity = 24")) << result.notes[0];
    const auto exported = Checkpoint::open(folder / "switch");
    const ModelSpec spec = readSpec(*exported);
    EXPECT_TRUE(spec.t5.switchNames);
    layer.moe.fixedSlots = 24;
    for (const BlockSpec& block : spec.blocks)
        EXPECT_EQ(block.moe, block.index % 2 == 1 ? std::optional(layer.moe) : std::nullopt)
            << block.name;
    EXPECT_EQ(valuesOf(*exported, "encoder.block.1.layer.1.mlp.experts.expert_2.wi.weight"),
              valuesOf(*dense, "encoder.block.1.layer.1.DenseReluDense.wi.weight"));
    SurgeryPlan again = planOf({"encoder.0"}, topOne(2));
    const std::string text =
        errorOf(ErrorKind::BadInput, [&] { convert(*exported, again, folder / "twice"); });
    EXPECT_TRUE(contains(text, "SwitchTransformers")) << text;
}

TEST(SwitchLayout, TakesTheStepsThatTheClassCanCountIn) {
    const auto step = [](const std::vector<std::string>& blocks, const char* stack) {
        return nlohmann::json::parse(layoutOf(planOf(blocks, topOne(2))).configText)
            .at(std::string(stack) + "_sparse_step");
    };
    EXPECT_EQ(step({"encoder.0", "encoder.1", "encoder.2", "encoder.3"}, "encoder"), 1);
    EXPECT_EQ(step({"encoder.0", "encoder.1", "encoder.2", "encoder.3"}, "decoder"), 0);
    EXPECT_EQ(step({"decoder.1"}, "decoder"), 4);
    expectRefusal(planOf({"encoder.2", "encoder.3"}, topOne(2)), {"encoder", "every n-th"});
    expectRefusal(planOf({"decoder.0"}, topOne(2)), {"decoder", "every n-th"});
}

TEST(SwitchLayout, RefusesWhatTheClassCannotHold) {
    const auto with = [](auto change) {
        LayerPlan layer = topOne(4);
        change(layer.moe);
        return planOf(kEveryOther, layer);
    };
    expectRefusal(planOf(kEveryOther, topOne(4)), {"gated"}, {.gated = true});
    expectRefusal({}, {"no MoE block"});
    expectRefusal(with([](MoeSpec& moe) { moe.k = 2; }), {"encoder.1", "k = 2"});
    expectRefusal(with([](MoeSpec& moe) { moe.renormalize = true; }), {"renormalize"});
    expectRefusal(with([](MoeSpec& moe) { moe.order = TopKOrder::TopKSoftmax; }), {"topk-softmax"});
    expectRefusal(with([](MoeSpec& moe) { moe.dropless = false; }), {"group size batch"});
    SurgeryPlan plan = planOf(kEveryOther, topOne(4));
    plan.layers["encoder.3"].moe.experts = 8;
    expectRefusal(plan, {"encoder.1 has 4 experts", "encoder.3 has 8"});
    plan = planOf(kEveryOther, topOne(4));
    plan.layers["encoder.3"].moe.router = RouterKind::ExpertChoice;
    plan.layers["encoder.3"].moe.dropless = false;
    expectRefusal(plan, {"encoder.3", "expert-choice"});
    plan = planOf(kEveryOther, topOne(4));
    plan.layers["decoder.1"].moe.dropless = false;
    plan.layers["decoder.1"].moe.group = {GroupSize::Kind::Sequence, 0};
    expectRefusal(plan, {"capacities"});
    ModelSpec vit = SmallVit{}.spec();
    const std::string text =
        errorOf(ErrorKind::BadInput, [&] { toSwitchLayout(vit, {}, SmallVit{}.config()); });
    EXPECT_TRUE(contains(text, "vit")) << text;
}

TEST(SwitchLayout, UntiedEmbeddingsAreWrittenForEachStackAndStraysLeftOut) {
    const TemporaryFolder folder;
    SmallT5 t5{.gated = false};
    const std::string config = t5.config();
    std::string untied = config;
    const std::string tied = "\"tie_word_embeddings\": true";
    untied.replace(untied.find(tied), tied.size(), "\"tie_word_embeddings\": false");
    const auto dense = writeRandom(untied, folder / "dense");
    ConvertOptions options;
    options.layout = LayoutChoice::Switch;
    const ConvertResult result =
        convert(*dense, planOf(kEveryOther, topOne(2)), folder / "switch", options);
    EXPECT_EQ(result.notes.size(), 2U);
    const auto exported = Checkpoint::open(folder / "switch");
    for (const char* stack : {"encoder", "decoder"})
        EXPECT_EQ(valuesOf(*exported, std::string(stack) + ".embed_tokens.weight"),
                  valuesOf(*dense, "shared.weight"));

    const auto five = SmallT5{.gated = false, .further = "\"scale_decoder_outputs\": false,"};
    PlanReport report = compilePlan(five.spec(), dense->tensors(), planOf(kEveryOther, topOne(2)));
    report.output.t5.tiedEmbeddings = true;
    std::erase_if(report.recipes, [](const TensorRecipe& recipe) {
        return recipe.output.name == "lm_head.weight";
    });
    const SwitchLayout unscaled = toSwitchLayout(report.output, report.recipes, five.config());
    EXPECT_EQ(unscaled.recipes.size(), report.recipes.size() + 3)
        << "its class scales what is tied";
    EXPECT_FALSE(nlohmann::json::parse(unscaled.configText)["tie_word_embeddings"]);

    std::vector<TensorRecipe> recipes(1);
    recipes[0].output.name =
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";
    ModelSpec spec = t5.spec();
    spec.blocks[1].moe = topOne(2).moe;
    const SwitchLayout layout = toSwitchLayout(spec, recipes, config);
    EXPECT_TRUE(layout.recipes.empty());
    EXPECT_EQ(layout.notes.size(), 1U);
}

}  // namespace
}  // namespace core::test
