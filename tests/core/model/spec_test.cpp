// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"
#include "tests/core/model/headers_only.h"
#include "tests/core/model/refusal.h"

#include <gtest/gtest.h>

#include <limits>

namespace core::test {
namespace {

const std::string kConfig = R"({
  "model_type": "vit", "hidden_size": 12, "num_hidden_layers": 3, "num_attention_heads": 2,
  "intermediate_size": 20, "hidden_act": "relu", "layer_norm_eps": 1e-06, "image_size": 8,
  "patch_size": 4, "num_channels": 1, "id2label": {"0": "a", "2": "c", "1": "b"},
  "unknown_key": [1, 2.5, null]})";

const std::string kUpcycled = R"({"experts": 4, "capacity": 1.5, "router": "expert-choice",
  "renormalize": true, "group_size": "batch"})";

std::string withBlocks(const std::string& blocks) {
    return kConfig.substr(0, kConfig.size() - 1) + R"(, "upcycling": {"schema": 1, "blocks": )" +
           blocks + "}}";
}

/// The tensors of a config, under a prefix.
HeadersOnly checkpointOf(const std::string& config, const std::string& prefix = "vit.") {
    HeadersOnly checkpoint(config, {});
    for (const Parameter& p : describeParameters(specFromConfig(config, "c"), {prefix}))
        for (const ParameterPart& part : p.parts) checkpoint.add(part.tensor, part.shape);
    return checkpoint;
}

void expectRefusal(const std::string& config, const std::vector<std::string>& words) {
    expectWords(refusal([&] { specFromConfig(config, "c.json"); }), words);
}

TEST(SpecFromConfig, ReadsEveryKey) {
    const ModelSpec spec = specFromConfig(kConfig, "c.json");
    EXPECT_EQ(spec.family, Family::Vit);
    EXPECT_EQ(spec.vit.hidden, 12);
    EXPECT_EQ(spec.vit.layers, 3);
    EXPECT_EQ(spec.vit.heads, 2);
    EXPECT_EQ(spec.vit.intermediate, 20);
    EXPECT_EQ(spec.vit.activation, Activation::Relu);
    EXPECT_EQ(spec.vit.layerNormEpsilon, 1e-6F);
    EXPECT_EQ(spec.vit.tokens(), 5);
    EXPECT_EQ(spec.vit.channels, 1);
    EXPECT_TRUE(spec.vit.qkvBias);
    EXPECT_EQ(spec.vit.labels, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(spec.vit.classes, 3);
    ASSERT_EQ(spec.blocks.size(), 3U);
    EXPECT_EQ(spec.blocks[2].name, "encoder.2");
    EXPECT_EQ(spec.find("encoder.1")->index, 1);
    EXPECT_EQ(spec.find("encoder.3"), nullptr);
}

TEST(SpecFromConfig, HasTransformersDefaults) {
    const VitSpec vit = specFromConfig(R"({"model_type": "vit", "hidden_act": null})", "c").vit;
    EXPECT_EQ(vit.hidden, 768);
    EXPECT_EQ(vit.layers, 12);
    EXPECT_EQ(vit.heads, 12);
    EXPECT_EQ(vit.intermediate, 3072);
    EXPECT_EQ(vit.activation, Activation::GeluErf);
    EXPECT_EQ(vit.layerNormEpsilon, 1e-12F);
    EXPECT_EQ(vit.tokens(), 197);
    EXPECT_EQ(vit.channels, 3);
    EXPECT_TRUE(vit.qkvBias);
    EXPECT_EQ(vit.classes, 2);
}

TEST(SpecFromConfig, KnowsOtherFamiliesByTheirBlocks) {
    const ModelSpec t5 =
        specFromConfig(R"({"model_type": "t5", "num_layers": 4, "num_decoder_layers": 2})", "c");
    EXPECT_EQ(t5.family, Family::T5);
    ASSERT_EQ(t5.blocks.size(), 6U);
    EXPECT_EQ(t5.blocks[3].name, "encoder.3");
    EXPECT_EQ(t5.blocks[4].name, "decoder.0");
    EXPECT_EQ(specFromConfig(R"({"model_type": "mt5", "num_layers": 5})", "c").blocks.size(), 10U);
    const ModelSpec qwen =
        specFromConfig(R"({"model_type": "qwen2", "num_hidden_layers": 7})", "c");
    EXPECT_EQ(qwen.family, Family::Llama);
    EXPECT_EQ(qwen.blocks.back().name, "decoder.6");
    EXPECT_EQ(specFromConfig(R"({"architectures": ["ViTForImageClassification"]})", "c").family,
              Family::Vit);
    expectRefusal(R"({"model_type": "bert"})", {"c.json", "model_type", "bert", "vit"});
    expectRefusal("{}", {"model_type is missing"});
}

TEST(SpecFromConfig, RefusesBadValuesByKey) {
    expectRefusal("[]", {"c.json", "object"});
    expectRefusal("{\"a\"", {"c.json", "JSON"});
    expectRefusal("{\"a\": 1e999}", {"JSON"});
    expectRefusal(std::string(100000, '['), {"deeper"});
    const auto refuse = [](const std::string& from, const std::string& to,
                           const std::vector<std::string>& words) {
        expectRefusal(replaced(kConfig, from, to), words);
    };
    refuse("\"hidden_size\": 12", "\"hidden_size\": \"12\"", {"hidden_size", "\"12\" (string)"});
    refuse("\"hidden_size\": 12", "\"hidden_size\": 12.5", {"hidden_size", "12.5", "integer"});
    refuse("\"hidden_size\": 12", "\"hidden_size\": -1", {"hidden_size", "-1"});
    refuse("\"hidden_size\": 12", "\"hidden_size\": 18446744073709551615",
           {"18446744073709551615"});
    refuse("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 10001", {"10001", "10000"});
    refuse("\"num_attention_heads\": 2", "\"num_attention_heads\": 5",
           {"num_attention_heads is 5", "hidden_size, 12"});
    refuse("\"num_attention_heads\": 2", "\"num_attention_heads\": 0", {"num_attention_heads"});
    refuse("\"hidden_act\": \"relu\"", "\"hidden_act\": \"quick_gelu\"",
           {"hidden_act", "quick_gelu", "gelu_new"});
    refuse("\"layer_norm_eps\": 1e-06", "\"layer_norm_eps\": true", {"layer_norm_eps", "number"});
    refuse("\"layer_norm_eps\": 1e-06", "\"layer_norm_eps\": -1", {"layer_norm_eps"});
    refuse("\"patch_size\": 4", "\"patch_size\": 9", {"patch_size is 9", "image_size"});
    refuse("\"patch_size\": 4", "\"patch_size\": [4, 2]", {"patch_size", "square"});
    refuse("\"2\": \"c\"", "\"x\": \"c\"", {"id2label", "x"});
    EXPECT_EQ(specFromConfig(replaced(kConfig, "\"image_size\": 8", "\"image_size\": [8, 8]"), "c")
                  .vit.imageSize,
              8);
}

/// Whatever bytes a config holds, it is read or refused in words.
TEST(SpecFromConfig, SurvivesDamage) {
    const std::string config = withBlocks("{\"encoder.1\": " + kUpcycled + "}");
    const auto attempt = [](const std::string& text) {
        try {
            return specFromConfig(text, "c").blocks.size() <= 10000;
        } catch (const Error& error) {
            return error.kind() == ErrorKind::BadInput;
        }
    };
    for (std::size_t length = 0; length < config.size(); ++length)
        EXPECT_TRUE(attempt(config.substr(0, length))) << length;
    for (const char damage : {'\0', '-', '9', '"', '{', '\xff', '.', 'e'})
        for (std::size_t i = 0; i < config.size(); ++i) {
            std::string damaged = config;
            damaged[i] = damage;
            EXPECT_TRUE(attempt(damaged)) << damaged;
        }
}

TEST(Upcycling, ReadsEntriesAndWritesThemBack) {
    const std::string topK = R"({"experts": 6, "router": "top-k", "renormalize": false,
        "group_size": 64, "k": 3, "order": "topk-softmax", "dropless": true,
        "batch_priority": true})";
    const std::string config =
        withBlocks("{\"encoder.2\": " + topK + ", \"encoder.0\": " + kUpcycled + "}");
    const ModelSpec spec = specFromConfig(config, "c");
    EXPECT_FALSE(spec.blocks[1].moe);
    ASSERT_TRUE(spec.blocks[0].moe && spec.blocks[2].moe);
    EXPECT_EQ(spec.blocks[0].moe->experts, 4);
    EXPECT_EQ(spec.blocks[0].moe->capacity, 1.5);
    EXPECT_EQ(spec.blocks[0].moe->router, RouterKind::ExpertChoice);
    const MoeSpec& moe = *spec.blocks[2].moe;
    EXPECT_EQ(moe.router, RouterKind::TopK);
    EXPECT_EQ(moe.group, (GroupSize{GroupSize::Kind::Tokens, 64}));
    EXPECT_EQ(moe.k, 3);
    EXPECT_EQ(moe.order, TopKOrder::TopKSoftmax);
    EXPECT_TRUE(moe.dropless && moe.batchPriority && !moe.renormalize);

    const std::string written = configWithUpcycling(kConfig, spec);
    EXPECT_NE(written.find("\"unknown_key\""), std::string::npos);
    EXPECT_LT(written.find("model_type"), written.find("hidden_size")) << "keys keep their order";
    const ModelSpec again = specFromConfig(written, "c");
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again.blocks[i].moe, spec.blocks[i].moe);
    const std::string plain = configWithUpcycling(config, specFromConfig(kConfig, "c"));
    EXPECT_EQ(plain.find("upcycling"), std::string::npos);
    EXPECT_EQ(specFromConfig(configWithUpcycling("", spec), "c").blocks[2].moe, moe);
}

TEST(Upcycling, RefusesByName) {
    const auto refuse = [](const std::string& from, const std::string& to,
                           const std::vector<std::string>& words) {
        expectRefusal(withBlocks("{\"encoder.1\": " + replaced(kUpcycled, from, to) + "}"), words);
    };
    refuse("\"experts\": 4", "\"experts\": 0", {"encoder.1", "experts is 0"});
    refuse("\"experts\": 4", "\"experts\": 1000000000", {"encoder.1", "experts is 1000000000"});
    refuse("\"experts\": 4", "\"experts\": \"many\"", {"encoder.1", "experts", "many"});
    refuse("\"experts\": 4, ", "", {"encoder.1", "experts is missing"});
    refuse("\"capacity\": 1.5", "\"capacity\": -1", {"encoder.1", "capacity is -1"});
    refuse("\"capacity\": 1.5", "\"capacity\": \"NaN\"", {"encoder.1", "capacity"});
    refuse("\"capacity\": 1.5", "\"capacity\": 1.5, \"k\": 2", {"encoder.1", "k is 2", "top-k"});
    refuse("\"capacity\": 1.5", "\"capacity\": 1.5, \"kk\": 2", {"encoder.1", "\"kk\""});
    refuse("expert-choice", "soft", {"encoder.1", "router", "soft"});
    refuse("\"batch\"", "\"image\"", {"encoder.1", "group_size", "image"});
    refuse("\"batch\"", "0", {"encoder.1", "group_size is 0"});
    expectRefusal(withBlocks("{\"encoder.3\": " + kUpcycled + "}"), {"encoder.3", "no block"});
    expectRefusal(withBlocks("[]"), {"upcycling", "blocks"});
    expectRefusal(withBlocks("{\"encoder.1\": 7}"), {"encoder.1", "7"});
    expectRefusal(replaced(withBlocks("{}"), "\"schema\": 1", "\"schema\": 2"), {"schema is 2"});
}

TEST(Validate, SettingsThatCannotWork) {
    MoeSpec moe;
    validate(moe, "encoder.0", false);
    EXPECT_NE(refusal([&] { validate(moe, "decoder.0", true); }).find("expert-choice"),
              std::string::npos);
    moe.router = RouterKind::TopK;
    validate(moe, "decoder.0", true);
    moe.k = 33;
    EXPECT_NE(refusal([&] { validate(moe, "encoder.0", false); }).find("k is 33"),
              std::string::npos);
    moe.k = 0;
    refusal([&] { validate(moe, "encoder.0", false); });
    moe.k = 2;
    moe.batchPriority = true;
    refusal([&] { validate(moe, "decoder.0", true); });
    for (const double capacity : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                                  std::numeric_limits<double>::infinity()}) {
        moe.capacity = capacity;
        refusal([&] { validate(moe, "encoder.0", false); });
    }
    moe.dropless = true;
    validate(moe, "encoder.0", false);
    moe.group = {GroupSize::Kind::Tokens, 0};
    refusal([&] { validate(moe, "encoder.0", false); });
}

TEST(GroupSizeText, RoundTrips) {
    for (const char* text : {"batch", "sequence", "17"})
        EXPECT_EQ(toString(*groupSizeFromName(text)), text);
    for (const char* text : {"", "0", "-3", "x", "7x", "1e3", "99999999999999999999"})
        EXPECT_FALSE(groupSizeFromName(text)) << text;
}

TEST(ReadSpec, AcceptsMatchingTensorsUnderBothPrefixes) {
    const std::string config = withBlocks("{\"encoder.1\": " + kUpcycled + "}");
    for (const char* prefix : {"vit.", ""}) {
        HeadersOnly checkpoint = checkpointOf(config, prefix);
        checkpoint.add(std::string(prefix) + "pooler.dense.weight", {12, 12});
        EXPECT_TRUE(readSpec(checkpoint).blocks[1].moe);
        EXPECT_EQ(vitNames(checkpoint.tensors()).prefix, prefix);
    }
    HeadersOnly headless = checkpointOf(kConfig);
    headless.remove("classifier.weight");
    EXPECT_EQ(readSpec(headless).vit.hidden, 12) << "a backbone can still be upcycled";
}

struct Contradiction {
    const char* name;
    const char* tensor;  ///< that is changed, added or removed
    Shape shape;         ///< its new shape; rank 0 = removed
    std::vector<std::string> words;
};

TEST(ReadSpec, NamesKeyAndTensorOfAContradiction) {
    const std::string config = withBlocks("{\"encoder.1\": " + kUpcycled + "}");
    const std::string layer = "vit.encoder.layer.";
    const std::vector<Contradiction> cases{
        {"hidden", "vit.embeddings.cls_token", {1, 1, 13}, {"hidden_size = 12", "[1, 1, 13]"}},
        {"positions",
         "vit.embeddings.position_embeddings",
         {1, 17, 12},
         {"image_size = 8", "patch_size = 4", "[1, 17, 12]"}},
        {"channels",
         "vit.embeddings.patch_embeddings.projection.weight",
         {12, 3, 4, 4},
         {"num_channels = 1"}},
        {"inner",
         "vit.encoder.layer.0.intermediate.dense.weight",
         {24, 12},
         {"intermediate_size = 20", "[24, 12]"}},
        {"rank", "vit.layernorm.weight", {1, 12}, {"vit.layernorm.weight", "expected [12]"}},
        {"classes", "classifier.weight", {10, 12}, {"id2label with 3 classes", "[10, 12]"}},
        {"router",
         "vit.encoder.layer.1.mlp.router.classifier.weight",
         {8, 12},
         {"encoder.1.experts = 4", "[8, 12]"}},
        {"missing MLP", "vit.encoder.layer.2.output.dense.bias", {}, {"is missing"}},
        {"missing expert",
         "vit.encoder.layer.1.mlp.experts.expert_3.output.dense.bias",
         {},
         {"expert_3", "is missing"}},
        {"missing bias",
         "vit.encoder.layer.2.attention.attention.query.bias",
         {},
         {"qkv_bias = true"}},
        {"a block too many",
         "vit.encoder.layer.3.output.dense.bias",
         {12},
         {"num_hidden_layers", "encoder.3"}},
        {"an expert too many",
         "vit.encoder.layer.1.mlp.experts.expert_4.output.dense.bias",
         {12},
         {"experts = 4", "expert_4"}},
        {"experts of a dense block",
         "vit.encoder.layer.2.mlp.experts.expert_0.output.dense.bias",
         {12},
         {"upcycling without an entry for encoder.2"}},
        {"a dense MLP in an MoE block",
         "vit.encoder.layer.1.output.dense.bias",
         {12},
         {"upcycling.blocks.encoder.1"}},
    };
    for (const Contradiction& c : cases) {
        HeadersOnly checkpoint = checkpointOf(config);
        if (c.shape.rank() == 0)
            checkpoint.remove(c.tensor);
        else if (TensorInfo* tensor = checkpoint.edit(c.tensor))
            tensor->shape = c.shape;
        else
            checkpoint.add(c.tensor, c.shape);
        EXPECT_EQ(readSpecUnchecked(checkpoint).vit.hidden, 12) << "it can still be looked at";
        const std::string message = refusal([&] { readSpec(checkpoint); });
        for (const std::string& word : c.words)
            EXPECT_NE(message.find(word), std::string::npos)
                << c.name << ": " << message << " lacks " << word;
    }
}

TEST(ReadSpec, NamesTheKeyWhenTheConfigIsChanged) {
    HeadersOnly checkpoint = checkpointOf(kConfig);
    checkpoint.setConfig(
        replaced(kConfig, "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 9999"));
    EXPECT_NE(refusal([&] { readSpec(checkpoint); }).find("num_hidden_layers = 9999"),
              std::string::npos);
    checkpoint.setConfig(
        replaced(kConfig, "\"image_size\"", "\"qkv_bias\": false, \"image_size\""));
    EXPECT_NE(refusal([&] { readSpec(checkpoint); }).find("qkv_bias = false"), std::string::npos);
    checkpoint.setConfig(withBlocks("{\"encoder.1\": " + replaced(kUpcycled, "4", "60000") + "}"));
    refusal([&] { readSpec(checkpoint); });
    EXPECT_NE(refusal([&] { readSpec(checkpoint); }).find("/somewhere/model/config.json"),
              std::string::npos);
}

TEST(ReadSpec, WithoutAConfigShowsWhatTheTensorsSay) {
    HeadersOnly checkpoint = checkpointOf(withBlocks("{\"encoder.1\": " + kUpcycled + "}"), "");
    checkpoint.setConfig("");
    const ModelSpec spec = readSpecUnchecked(checkpoint);
    EXPECT_EQ(spec.family, Family::Vit);
    EXPECT_EQ(spec.vit.hidden, 12);
    EXPECT_EQ(spec.vit.intermediate, 20);
    EXPECT_EQ(spec.vit.imageSize, 8);
    EXPECT_EQ(spec.vit.patchSize, 4);
    EXPECT_EQ(spec.vit.classes, 3);
    EXPECT_EQ(spec.vit.heads, 0);
    ASSERT_EQ(spec.blocks.size(), 3U);
    ASSERT_TRUE(spec.blocks[1].moe);
    EXPECT_EQ(spec.blocks[1].moe->experts, 4);
    const std::string message = refusal([&] { readSpec(checkpoint); });
    EXPECT_NE(message.find("heads"), std::string::npos) << message;

    HeadersOnly t5("", {});
    t5.add("encoder.block.1.layer.0.SelfAttention.q.weight", {8, 8});
    t5.add("decoder.block.0.layer.0.SelfAttention.q.weight", {8, 8});
    EXPECT_EQ(readSpecUnchecked(t5).family, Family::T5);
    EXPECT_EQ(readSpecUnchecked(t5).blocks.size(), 3U);
    EXPECT_EQ(readSpecUnchecked(t5).blocks[0].name, "encoder.0");

    HeadersOnly unknown("", {});
    unknown.add("linear.weight", {2, 2});
    refusal([&] { readSpecUnchecked(unknown); });
}

/// Found by fuzzing: such sizes are divided by and multiplied.
TEST(ReadSpec, WithoutAConfigRefusesSizesThatNoImageHas) {
    const std::string patch = "embeddings.patch_embeddings.projection.weight";
    for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1} << 40}) {
        HeadersOnly checkpoint = checkpointOf(withBlocks("{\"encoder.1\": " + kUpcycled + "}"), "");
        checkpoint.setConfig("");
        checkpoint.edit(patch)->shape = Shape{12, 1, size, size};
        const std::string message = refusal([&] { readSpecUnchecked(checkpoint); });
        EXPECT_NE(message.find(patch), std::string::npos) << message;
    }
}

TEST(DescribeParameters, ExpertsAreOneParameterOfManyTensors) {
    const ModelSpec spec = specFromConfig(withBlocks("{\"encoder.1\": " + kUpcycled + "}"), "c");
    const std::vector<Parameter> parameters = describeParameters(spec);
    std::size_t experts = 0;
    for (const Parameter& p : parameters) {
        std::int64_t elements = 0;
        for (const ParameterPart& part : p.parts) elements += part.shape.elements();
        EXPECT_EQ(elements, p.shape.elements()) << p.name;
        EXPECT_EQ(p.decay,
                  p.name.ends_with(".weight") && p.name.find("layernorm") == std::string::npos)
            << p.name;
        if (p.experts == 0) continue;
        ++experts;
        ASSERT_EQ(p.parts.size(), 4U);
        EXPECT_EQ(p.shape[0], 4);
    }
    EXPECT_EQ(experts, 4U);
    const auto weight = std::find_if(parameters.begin(), parameters.end(), [](const Parameter& p) {
        return p.name == "vit.encoder.layer.1.mlp.experts.expert_{e}.intermediate.dense.weight";
    });
    ASSERT_NE(weight, parameters.end());
    EXPECT_EQ(weight->shape, (Shape{4, 20, 12}));
    EXPECT_EQ(weight->parts[2].tensor,
              "vit.encoder.layer.1.mlp.experts.expert_2.intermediate.dense.weight");
}

TEST(DescribeParameters, AbsurdSizesAreRefusedBeforeAnythingIsAllocated) {
    const std::string absurd = R"({"model_type": "vit", "hidden_size": 1048576,
        "num_attention_heads": 1, "intermediate_size": 1048576, "num_hidden_layers": 10000})";
    try {
        describeParameters(specFromConfig(absurd, "c"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::OutOfMemory);
    }
}

}  // namespace
}  // namespace core::test
