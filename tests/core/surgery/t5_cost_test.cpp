// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/report.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <map>

namespace core::test {
namespace {

/// Numbers of a published T5, and what transformers and torch say of it
/// (tests/reference/make_t5_headers.py --table).
struct Published {
    const char* name;
    std::int64_t model, inner, heads, layers;
    bool gated;  ///< v1.1: gated, output matrix of its own
    std::size_t tensors;
    std::uint64_t parameters;
    double encoderFlops;  ///< forward of 512 input tokens
    double wholeFlops;    ///< with the decoder over 114 target tokens
    double upcycled;      ///< parameters with 32 experts in every other block, as published
    double unit;          ///< of the last digit of `upcycled`
};
void PrintTo(const Published& value, std::ostream* stream) { *stream << value.name; }

std::string configOf(const Published& t5) {
    return R"({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": )" +
           std::to_string(t5.model) + ", \"d_ff\": " + std::to_string(t5.inner) +
           ", \"num_heads\": " + std::to_string(t5.heads) +
           ", \"num_layers\": " + std::to_string(t5.layers) +
           (t5.gated ? R"(, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false})"
                     : "}");
}

std::vector<TensorInfo> headersOf(const ModelSpec& spec) {
    std::vector<TensorInfo> infos;
    for (const Parameter& parameter : describeParameters(spec)) {
        TensorInfo& info = infos.emplace_back();
        info.name = parameter.name;
        info.shape = parameter.shape;
        info.bytes = static_cast<std::uint64_t>(info.shape.elements()) * 4;
    }
    return infos;
}

SurgeryPlan paperPlan(const ModelSpec& spec) {
    SurgeryPlan plan;
    for (const std::string& block : presetBlocks(spec, {Preset::Paper, 0}))
        plan.layers[block] = defaultLayerPlan(spec, *spec.find(block));
    return plan;
}

class PublishedT5 : public testing::TestWithParam<Published> {};

TEST_P(PublishedT5, SizesAndFlopsAreThoseOfTransformersAndThePaper) {
    const Published& t5 = GetParam();
    const ModelSpec spec = specFromConfig(configOf(t5), "config.json");
    const std::vector<TensorInfo> tensors = headersOf(spec);
    EXPECT_EQ(tensors.size(), t5.tensors);
    const PlanReport report = compilePlan(spec, tensors, paperPlan(spec));
    EXPECT_EQ(report.before.parameters, t5.parameters);
    EXPECT_EQ(report.before.activeParameters, t5.parameters);
    EXPECT_EQ(report.before.fileBytes, 4 * t5.parameters);
    EXPECT_DOUBLE_EQ(report.before.flopsPerEncoderToken, t5.encoderFlops / 512);
    EXPECT_DOUBLE_EQ(report.before.flopsPerDecoderToken, (t5.wholeFlops - t5.encoderFlops) / 114);
    EXPECT_DOUBLE_EQ(report.before.flopsPerToken, t5.wholeFlops / (512 + 114));
    EXPECT_NEAR(static_cast<double>(report.after.parameters), t5.upcycled, t5.unit / 2);
    EXPECT_EQ(report.after.fileBytes, 4 * report.after.parameters);
    EXPECT_GT(report.before.trainingBytes, 2 * report.before.fileBytes) << "weights and gradients";
    EXPECT_GT(report.after.trainingBytes - report.before.trainingBytes,
              2 * (report.after.fileBytes - report.before.fileBytes));

    const std::int64_t matrices = t5.gated ? 3 : 2;
    const std::int64_t expert = matrices * t5.model * t5.inner;
    const auto sparse = static_cast<std::int64_t>(t5.layers / 2 * 2);
    EXPECT_EQ(static_cast<std::int64_t>(report.after.activeParameters - t5.parameters),
              sparse * (expert + 32 * t5.model))
        << "two experts and the router in place of one MLP";
    EXPECT_TRUE(report.warnings.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, PublishedT5,
    testing::Values(Published{"v1_1_small", 512, 1024, 6, 8, true, 190, 76961152, 22548578304.0,
                              35417800704.0, 0.467e9, 1e6},
                    Published{"v1_1_base", 768, 2048, 12, 12, true, 282, 247577856, 96636764160.0,
                              141981401088.0, 2.003e9, 1e6},
                    Published{"v1_1_large", 1024, 2816, 16, 24, true, 558, 783150080,
                              341449900032.0, 489269624832.0, 7.22e9, 1e7},
                    Published{"v1_1_xl", 2048, 5120, 32, 24, true, 558, 2849757184, 1236950581248.0,
                              1781983346688.0, 26.3e9, 1e8},
                    Published{"v1_0_base", 768, 3072, 12, 12, false, 257, 222903552, 96636764160.0,
                              141981401088.0, 1.98e9, 1e7}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(T5Cost, SmallWithEightExpertsInThreeBlocksOfEachStack) {
    const ModelSpec spec = specFromConfig(
        R"({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]})", "config.json");
    SurgeryPlan plan = paperPlan(spec);
    EXPECT_EQ(plan.layers.size(), 6U);
    for (auto& [block, layer] : plan.layers) layer.moe.experts = 8;
    const PlanReport report = compilePlan(spec, headersOf(spec), plan);
    EXPECT_EQ(report.before.parameters, 60506624U);
    EXPECT_NEAR(static_cast<double>(report.after.parameters), 148.6e6, 0.05e6);
}

/// Encoder of one block and decoder of one, by hand: d_model 6, d_ff 10, 3 heads of 2, 11 words.
TEST(T5Cost, FlopsFollowTheRoutersOfEachStack) {
    const ModelSpec dense = SmallT5{.encoderLayers = 1, .decoderLayers = 1}.spec();
    const ModelCost before = modelCost(dense, {});
    const double projection = 2 * 6 * 6;
    const double mlp = 3 * 2 * 6 * 10;
    const auto scores = [](double keys) { return 4 * keys * 6; };
    EXPECT_DOUBLE_EQ(before.flopsPerEncoderToken, 4 * projection + scores(512) + mlp);
    EXPECT_DOUBLE_EQ(before.flopsPerDecoderToken, 6 * projection + scores(114) + scores(512) + mlp +
                                                      2 * 6 * 11 + 2 * projection * 512 / 114);
    ModelSpec sparse = dense;
    MoeSpec moe;
    moe.experts = 8;
    moe.capacity = 1.5;
    sparse.blocks[0].moe = moe;
    moe.experts = 4;
    moe.router = RouterKind::TopK;
    moe.k = 3;
    moe.dropless = true;
    sparse.blocks[1].moe = moe;
    const ModelCost after = modelCost(sparse, {});
    EXPECT_DOUBLE_EQ(after.flopsPerEncoderToken - before.flopsPerEncoderToken,
                     0.5 * mlp + 2 * 6 * 8);
    EXPECT_DOUBLE_EQ(after.flopsPerDecoderToken - before.flopsPerDecoderToken, 2 * mlp + 2 * 6 * 4);
}

TEST(T5Cost, RepeatedAndStrayTensorsAreNoParameters) {
    const ModelSpec spec = SmallT5{.gated = false}.spec();
    std::vector<TensorInfo> tensors = headersOf(spec);
    const std::uint64_t parameters = modelCost(spec, tensors).parameters;
    const auto add = [&](const char* name, const Shape& shape) {
        TensorInfo& info = tensors.emplace_back();
        info.name = name;
        info.shape = shape;
        info.bytes = static_cast<std::uint64_t>(shape.elements()) * 4;
    };
    add("encoder.embed_tokens.weight", {11, 6});
    add("decoder.embed_tokens.weight", {11, 6});
    add("lm_head.weight", {11, 6});
    add("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", {8, 3});
    EXPECT_EQ(modelCost(spec, tensors).parameters, parameters);
    EXPECT_EQ(modelCost(spec, tensors).fileBytes, 4 * (parameters + 3 * 66 + 24));
    std::erase_if(tensors, [](const TensorInfo& tensor) { return tensor.name == "shared.weight"; });
    EXPECT_EQ(modelCost(spec, tensors).parameters, parameters) << "a copy is the embedding then";
    ModelSpec untied = spec;
    untied.t5.tiedEmbeddings = false;
    EXPECT_EQ(modelCost(untied, tensors).parameters, parameters + 66);
}

}  // namespace
}  // namespace core::test
