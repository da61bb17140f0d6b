// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/plan.h"

#include "core/surgery/layer_layout.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

using Names = std::vector<std::string>;

SurgeryPlan fullPlan() {
    SurgeryPlan plan;
    plan.seed = 18446744073709551615ULL;
    LayerPlan& choice = plan.layers["encoder.3"] = moeLayer(8, {ExpertInit::Kind::Noise, 0.01});
    choice.moe.capacity = 1.25;
    choice.moe.group = {GroupSize::Kind::Tokens, 4096};
    choice.routerInit = {RouterInit::Kind::Lecun, 0};
    LayerPlan& topK = plan.layers["decoder.1"] = moeLayer(4, {ExpertInit::Kind::Drop, 0.5});
    topK.moe.router = RouterKind::TopK;
    topK.moe.k = 1;
    topK.moe.order = TopKOrder::TopKSoftmax;
    topK.moe.dropless = true;
    topK.moe.group = {GroupSize::Kind::Sequence, 0};
    topK.moe.renormalize = false;
    topK.routerInit = {RouterInit::Kind::Zero, 0};
    return plan;
}

TEST(Plan, JsonReadsBackEqual) {
    const SurgeryPlan plan = fullPlan();
    SurgeryPlan read = planFromJson(toJson(plan), "plan.json");
    // The capacity of a dropless layer is not written; it has no meaning.
    read.layers["decoder.1"].moe.capacity = plan.layers.at("decoder.1").moe.capacity;
    EXPECT_EQ(read, plan);
    EXPECT_EQ(planFromJson(toJson(SurgeryPlan{}), "plan.json"), SurgeryPlan{});
}

TEST(Plan, JsonIsWhatPeopleRead) {
    SurgeryPlan plan;
    plan.layers["encoder.3"] = moeLayer(8);
    EXPECT_EQ(toJson(plan), R"({
  "schema": 1,
  "seed": 0,
  "blocks": {
    "encoder.3": {
      "experts": 8,
      "capacity": 2.0,
      "router": "expert-choice",
      "renormalize": true,
      "group_size": "batch",
      "experts_from": "copy",
      "router_init": "normal:0.02"
    }
  }
}
)");
}

constexpr const char* kEntry =
    R"("experts":8,"capacity":2,"router":"expert-choice","renormalize":true,"group_size":"batch")";

std::string planWith(const std::string& entry) {
    return R"({"schema":1,"blocks":{"encoder.3":{)" + entry + "}}}";
}

TEST(Plan, MakingKeysHaveDefaults) {
    const SurgeryPlan plan = planFromJson(planWith(kEntry), "plan.json");
    EXPECT_EQ(plan.layers.at("encoder.3"), moeLayer(8));
    EXPECT_EQ(plan.seed, 0U);
}

struct BadPlan {
    const char* name;
    std::string text;
    const char* reason;
};
void PrintTo(const BadPlan& plan, std::ostream* stream) { *stream << plan.name; }

std::vector<BadPlan> badPlans() {
    const std::string entry = kEntry;
    const auto replaced = [&](const std::string& from, const std::string& to) {
        std::string text = entry;
        return planWith(text.replace(text.find(from), from.size(), to));
    };
    return {
        {"NotJson", "{", "not valid JSON"},
        {"NotAnObject", "[]", "an object"},
        {"NaNCapacity", replaced("\"capacity\":2", "\"capacity\":NaN"), "not valid JSON"},
        {"HugeCapacity", replaced("\"capacity\":2", "\"capacity\":1e300"), "capacity"},
        {"NegativeCapacity", replaced("\"capacity\":2", "\"capacity\":-1"), "capacity"},
        {"NoExperts", replaced("\"experts\":8", "\"experts\":0"), "experts is 0"},
        {"BillionExperts", replaced("\"experts\":8", "\"experts\":1000000000"),
         "experts is 1000000000"},
        {"ExpertsText", replaced("\"experts\":8", "\"experts\":\"8\""), "experts"},
        {"KOverExperts",
         planWith(R"("experts":4,"capacity":2,"router":"top-k","renormalize":true,)"
                  R"("group_size":"batch","k":5,"order":"softmax-topk","dropless":false,)"
                  R"("batch_priority":false)"),
         "k is 5"},
        {"UnknownKey", planWith(entry + ",\"expert\":8"), "\"expert\""},
        {"UnknownTopKey", R"({"schema":1,"blocks":{},"layers":{}})", "\"layers\""},
        {"KeyTwice", planWith(entry + ",\"experts\":9"), "\"experts\" occurs twice"},
        {"BlockTwice",
         R"({"schema":1,"blocks":{"encoder.3":{)" + entry + "},\"encoder.3\":{" + entry + "}}}",
         "\"encoder.3\" occurs twice"},
        {"MissingKey", replaced("\"experts\":8,", ""), "experts"},
        {"NewerSchema", R"({"schema":2,"blocks":{}})", "schema is 2"},
        {"NoSchema", R"({"blocks":{}})", "schema"},
        {"NoBlocks", R"({"schema":1})", "blocks"},
        {"NegativeSeed", R"({"schema":1,"seed":-1,"blocks":{}})", "seed"},
        {"UnknownSource", planWith(entry + ",\"experts_from\":\"clone\""), "experts_from"},
        {"NoiseWithoutNumber", planWith(entry + ",\"experts_from\":\"noise\""), "experts_from"},
        {"DropOverOne", planWith(entry + ",\"experts_from\":\"drop:1.5\""), "experts_from"},
        {"UnknownRouterInit", planWith(entry + ",\"router_init\":\"normal:nan\""), "router_init"},
        {"ExpertChoiceInADecoder", R"({"schema":1,"blocks":{"decoder.0":{)" + entry + "}}}",
         "decoder"},
        {"DeepNesting", std::string(100, '[') + std::string(100, ']'), "nested"},
    };
}

class BadPlans : public testing::TestWithParam<BadPlan> {};

TEST_P(BadPlans, AreRefusedByName) {
    const std::string text =
        errorOf(ErrorKind::BadInput, [&] { planFromJson(GetParam().text, "my/plan.json"); });
    EXPECT_TRUE(contains(text, GetParam().reason)) << text;
    EXPECT_TRUE(contains(text, "my/plan.json")) << text;
}

INSTANTIATE_TEST_SUITE_P(Texts, BadPlans, testing::ValuesIn(badPlans()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Plan, MakingWordsReadBack) {
    for (const char* text : {"copy", "random", "noise:0.01", "noise:0", "drop:0.5", "drop:1"}) {
        const auto init = expertInitFromText(text);
        ASSERT_TRUE(init) << text;
        EXPECT_EQ(toString(*init), text);
    }
    for (const char* text : {"", "noise", "noise:", "noise:x", "noise:-1", "noise:inf", "drop:1.1",
                             "drop:nan", "copy:1", "noise:1 "})
        EXPECT_FALSE(expertInitFromText(text)) << text;
    for (const char* text : {"zero", "lecun", "normal:0.02", "normal:0"}) {
        const auto init = routerInitFromText(text);
        ASSERT_TRUE(init) << text;
        EXPECT_EQ(toString(*init), text);
    }
    for (const char* text : {"", "normal", "normal:-1", "zeros", "normal:nan"})
        EXPECT_FALSE(routerInitFromText(text)) << text;
}

ModelSpec twoStacks() {
    ModelSpec spec;
    spec.family = Family::T5;
    for (const char* stack : {"encoder", "decoder"})
        for (int i = 0; i < 4; ++i)
            spec.blocks.push_back({std::string(stack) + "." + std::to_string(i), stack, i, {}});
    return spec;
}

Names blocksOf(const ModelSpec& spec, const char* preset) {
    const auto choice = presetFromText(preset);
    EXPECT_TRUE(choice) << preset;
    return presetBlocks(spec, choice.value_or(PresetChoice{}));
}

TEST(Plan, PresetsOfAVit) {
    const ModelSpec spec = SmallVit{.layers = 5}.spec();
    EXPECT_EQ(blocksOf(spec, "paper"), (Names{"encoder.3", "encoder.4"}));
    EXPECT_EQ(blocksOf(spec, "last-half"), (Names{"encoder.3", "encoder.4"}));
    EXPECT_EQ(blocksOf(spec, "every-other"), (Names{"encoder.1", "encoder.3"}));
    EXPECT_EQ(blocksOf(spec, "last:3"), (Names{"encoder.2", "encoder.3", "encoder.4"}));
    EXPECT_EQ(blocksOf(spec, "first:1"), (Names{"encoder.0"}));
    EXPECT_EQ(blocksOf(spec, "last:99").size(), 5U);
    EXPECT_EQ(blocksOf(spec, "all").size(), 5U);
    EXPECT_TRUE(blocksOf(spec, "none").empty());
    for (const char* text : {"", "last", "last:", "last:x", "last:-1", "Paper", "first:1.5"})
        EXPECT_FALSE(presetFromText(text)) << text;
}

TEST(Plan, PresetsTakeEachStackByItself) {
    EXPECT_EQ(blocksOf(twoStacks(), "paper"),
              (Names{"encoder.1", "encoder.3", "decoder.1", "decoder.3"}));
    EXPECT_EQ(blocksOf(twoStacks(), "last:1"), (Names{"encoder.3", "decoder.3"}));
}

TEST(Plan, PresetsLeaveOutWhatIsSparseAlready) {
    ModelSpec spec = SmallVit{}.spec();
    spec.blocks[3].moe = MoeSpec{};
    EXPECT_EQ(blocksOf(spec, "paper"), (Names{"encoder.2"}));
}

/// Flaxformer's MIXED layout and Hugging Face's SwitchTransformers agree for step 2 alone.
TEST(Plan, InterspersedLayersCountAsFlaxformerDoes) {
    const auto chosen = [](int step, auto rule) {
        std::vector<int> layers;
        for (int i = 0; i < 12; ++i)
            if (rule(i, step)) layers.push_back(i);
        return layers;
    };
    const auto huggingFace = [](int i, int step) { return i % step == 1; };
    EXPECT_EQ(chosen(2, isInterspersed), (std::vector<int>{1, 3, 5, 7, 9, 11}));
    EXPECT_EQ(chosen(2, isInterspersed), chosen(2, huggingFace));
    EXPECT_EQ(chosen(4, isInterspersed), (std::vector<int>{3, 7, 11}));
    EXPECT_EQ(chosen(4, huggingFace), (std::vector<int>{1, 5, 9}));
    EXPECT_EQ(chosen(1, isInterspersed).size(), 12U);
}

TEST(Plan, DefaultsAreThePapers) {
    const ModelSpec vit = SmallVit{}.spec();
    const LayerPlan vision = defaultLayerPlan(vit, vit.blocks[0]);
    EXPECT_EQ(vision.moe.experts, 32);
    EXPECT_EQ(vision.moe.capacity, 2.0);
    EXPECT_EQ(vision.moe.router, RouterKind::ExpertChoice);
    EXPECT_TRUE(vision.moe.renormalize);
    const ModelSpec t5 = twoStacks();
    EXPECT_EQ(defaultLayerPlan(t5, t5.blocks[0]).moe.router, RouterKind::ExpertChoice);
    EXPECT_FALSE(defaultLayerPlan(t5, t5.blocks[0]).moe.renormalize);
    EXPECT_EQ(defaultLayerPlan(t5, t5.blocks[4]).moe.router, RouterKind::TopK);
    EXPECT_EQ(defaultLayerPlan(t5, t5.blocks[4]).moe.k, 2);
}

TEST(Plan, BlocksFromText) {
    const ModelSpec spec = twoStacks();
    EXPECT_EQ(blocksFromText(spec, "encoder.1-2,decoder.0"),
              (Names{"encoder.1", "encoder.2", "decoder.0"}));
    EXPECT_EQ(blocksFromText(spec, "decoder.3,encoder.0,decoder.3"),
              (Names{"encoder.0", "decoder.3"}));
    for (const char* text : {"", "encoder", "encoder.4", "encoder.2-9", "encoder.3-1", "x.0",
                             "encoder.1,", "encoder.-1", "encoder.1-", "encoder.a",
                             "encoder.0-2147483647", "encoder.99999999999999999999"})
        errorOf(ErrorKind::BadInput, [&] { blocksFromText(spec, text); });
}

}  // namespace
}  // namespace core::test
