// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"
#include "tests/core/model/headers_only.h"
#include "tests/core/model/refusal.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace core::test {
namespace {

/// A file that transformers' classes stand behind (tests/reference/make_t5_headers.py --tiny).
std::shared_ptr<const Checkpoint> fixture(const std::string& name) {
    return Checkpoint::open(Path(UPCYCLER_SOURCE_DIR) / "tests/reference/t5" / name);
}

HeadersOnly headersOf(const Checkpoint& checkpoint, const std::string& config) {
    const auto tensors = checkpoint.tensors();
    return {config, {tensors.begin(), tensors.end()}};
}

T5Spec specOf(const std::string& keys) {
    return specFromConfig(R"({"model_type": "t5", )" + keys + "}", "c.json").t5;
}

TEST(T5Config, HasTransformersDefaults) {
    const T5Spec t5 = specFromConfig(R"({"model_type": "t5"})", "c").t5;
    EXPECT_EQ(t5.vocab, 32128);
    EXPECT_EQ(t5.dModel, 512);
    EXPECT_EQ(t5.dKv, 64);
    EXPECT_EQ(t5.dFf, 2048);
    EXPECT_EQ(t5.heads, 8);
    EXPECT_EQ(t5.encoderLayers, 6);
    EXPECT_EQ(t5.decoderLayers, 6);
    EXPECT_EQ(t5.relativeBuckets, 32);
    EXPECT_EQ(t5.relativeMaxDistance, 128);
    EXPECT_EQ(t5.activation, Activation::Relu);
    EXPECT_FALSE(t5.gated);
    EXPECT_TRUE(t5.tiedEmbeddings);
    EXPECT_EQ(t5.layerNormEpsilon, 1e-6F);
    EXPECT_EQ(t5.dropout, 0.1F);
    EXPECT_EQ(t5.initializerFactor, 1.0);
    EXPECT_EQ(t5.padToken, 0);
    EXPECT_EQ(t5.eosToken, 1);
    const T5Spec mt5 = specFromConfig(R"({"model_type": "mt5"})", "c").t5;
    EXPECT_EQ(mt5.vocab, 250112);
    EXPECT_EQ(mt5.dFf, 1024);
    EXPECT_EQ(mt5.encoderLayers, 8);
    EXPECT_EQ(mt5.heads, 6);
    EXPECT_TRUE(mt5.gated);
    EXPECT_EQ(mt5.activation, Activation::GeluTanh);
    EXPECT_FALSE(mt5.tiedEmbeddings);
}

TEST(T5Config, ReadsTheFeedForwardAsTransformersDoes) {
    EXPECT_EQ(specOf(R"("feed_forward_proj": "gated-gelu")").activation, Activation::GeluTanh);
    EXPECT_TRUE(specOf(R"("feed_forward_proj": "gated-gelu")").gated);
    EXPECT_EQ(specOf(R"("feed_forward_proj": "gated-silu")").activation, Activation::Silu);
    EXPECT_EQ(specOf(R"("feed_forward_proj": "gelu")").activation, Activation::GeluErf);
    EXPECT_FALSE(specOf(R"("feed_forward_proj": "gelu")").gated);
    EXPECT_TRUE(specOf(R"("feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu_new")").gated);
    EXPECT_EQ(specOf(R"("decoder_start_token_id": 5, "pad_token_id": 3)").decoderStartToken, 5);
    EXPECT_EQ(specOf(R"("pad_token_id": 3)").decoderStartToken, 3);
    EXPECT_EQ(specOf(R"("eos_token_id": [7, 8])").eosToken, 7);
    EXPECT_EQ(specOf(R"("num_layers": 4, "num_decoder_layers": null)").decoderLayers, 4);
}

TEST(T5Config, KnowsWhatEachVersionOfTransformersSaysOfTheOutput) {
    EXPECT_TRUE(specOf(R"("d_model": 8)").scaledOutput);
    const T5Spec four = specOf(R"("tie_word_embeddings": false)");
    EXPECT_FALSE(four.tiedEmbeddings);
    EXPECT_FALSE(four.scaledOutput);
    const T5Spec five = specOf(R"("tie_word_embeddings": true, "scale_decoder_outputs": false)");
    EXPECT_FALSE(five.tiedEmbeddings);
    EXPECT_FALSE(five.scaledOutput);
    const auto mt5Of = [](const std::string& version) {
        return specFromConfig(
                   R"({"model_type": "mt5", "tie_word_embeddings": true, "transformers_version": ")" +
                       version + "\"}",
                   "c.json")
            .t5;
    };
    EXPECT_TRUE(mt5Of("4.57.6").scaledOutput);
    EXPECT_TRUE(mt5Of("x").scaledOutput);
    for (const char* version : {"5.0.0", "5.24.0.dev0", "12.1"}) {
        EXPECT_FALSE(mt5Of(version).scaledOutput) << version;
        EXPECT_FALSE(mt5Of(version).tiedEmbeddings) << version;
    }
}

TEST(T5Config, RefusesBadValuesByKey) {
    const auto refused = [](const std::string& keys, const std::vector<std::string>& words) {
        expectWords(refusal([&] { specOf(keys); }), words);
    };
    refused(R"("feed_forward_proj": "gated-tanh")", {"c.json", "feed_forward_proj", "gated-tanh"});
    refused(R"("feed_forward_proj": "relu-gated")", {"feed_forward_proj"});
    refused(R"("dense_act_fn": "maxout")", {"dense_act_fn", "maxout"});
    refused(R"("d_model": 0)", {"d_model", "0"});
    refused(R"("num_heads": "8")", {"num_heads", "string"});
    refused(R"("vocab_size": 1e3)", {"vocab_size", "integer"});
    refused(R"("num_layers": 10001)", {"num_layers", "10001"});
    refused(R"("dropout_rate": 1.5)", {"dropout_rate", "1.5"});
    refused(R"("layer_norm_epsilon": -1)", {"layer_norm_epsilon"});
    refused(R"("initializer_factor": -1)", {"initializer_factor"});
    refused(R"("eos_token_id": [])", {"eos_token_id"});
    refused(R"("tie_word_embeddings": 1)", {"tie_word_embeddings"});
}

class T5Files : public testing::TestWithParam<const char*> {};

TEST_P(T5Files, HaveTheTensorsThatTheSpecAsksFor) {
    const auto checkpoint = fixture(GetParam());
    const ModelSpec spec = readSpec(*checkpoint);
    EXPECT_EQ(spec.family, Family::T5);
    std::map<std::string, Shape> expected;
    for (const Parameter& parameter : describeParameters(spec))
        for (const ParameterPart& part : parameter.parts) expected[part.tensor] = part.shape;
    std::map<std::string, Shape> found;
    for (const TensorInfo& tensor : checkpoint->tensors()) found[tensor.name] = tensor.shape;
    if (std::string(GetParam()) == "old") {
        EXPECT_EQ(found.erase("encoder.embed_tokens.weight"), 1U);
        EXPECT_EQ(found.erase("decoder.embed_tokens.weight"), 1U);
        EXPECT_EQ(found.erase("lm_head.weight"), 1U);
        EXPECT_EQ(found.erase("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias."
                              "weight"),
                  1U);
        EXPECT_EQ(tensorNotes(spec, checkpoint->tensors()).size(), 3U);
    } else {
        EXPECT_TRUE(tensorNotes(spec, checkpoint->tensors()).empty());
    }
    EXPECT_EQ(found, expected);
}

TEST_P(T5Files, TellTheirNumbersWithoutAConfig) {
    const auto checkpoint = fixture(GetParam());
    const T5Spec given = readSpec(*checkpoint).t5;
    const HeadersOnly bare = headersOf(*checkpoint, "");
    const ModelSpec spec = readSpec(bare);
    EXPECT_EQ(spec.t5.vocab, given.vocab);
    EXPECT_EQ(spec.t5.dModel, given.dModel);
    EXPECT_EQ(spec.t5.dKv, given.dKv);
    EXPECT_EQ(spec.t5.dFf, given.dFf);
    EXPECT_EQ(spec.t5.heads, given.heads);
    EXPECT_EQ(spec.t5.encoderLayers, given.encoderLayers);
    EXPECT_EQ(spec.t5.decoderLayers, given.decoderLayers);
    EXPECT_EQ(spec.t5.relativeBuckets, given.relativeBuckets);
    EXPECT_EQ(spec.t5.gated, given.gated);
    EXPECT_EQ(spec.t5.switchNames, given.switchNames);
    EXPECT_EQ(spec.blocks.size(), readSpec(*checkpoint).blocks.size());
    const ModelSpec again = specFromConfig(configTextOf(spec), "config.json");
    EXPECT_EQ(again.t5.gated, spec.t5.gated);
    EXPECT_EQ(again.t5.activation, spec.t5.activation);
    EXPECT_EQ(again.t5.tiedEmbeddings, spec.t5.tiedEmbeddings);
    EXPECT_EQ(again.t5.decoderLayers, spec.t5.decoderLayers);
}

INSTANTIATE_TEST_SUITE_P(Kinds, T5Files,
                         testing::Values("v1_0", "v1_1", "silu", "mt5", "encoder", "old", "switch"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(T5Files, AnOutputMatrixOfItsOwnIsUsedAsTransformersUsesIt) {
    const auto checkpoint = fixture("v1_1");
    const auto outputOf = [&](const std::string& version) {
        const std::string tied =
            replaced(checkpoint->configText(), "\"tie_word_embeddings\": false",
                     "\"tie_word_embeddings\": true");
        return readSpec(headersOf(*checkpoint, replaced(tied, "4.57.6", version))).t5;
    };
    const T5Spec five = outputOf("5.0.0");  // which calls every output tied and scaled
    EXPECT_FALSE(five.tiedEmbeddings);
    EXPECT_TRUE(five.scaledOutput);
    const T5Spec four = outputOf("4.57.6");
    EXPECT_TRUE(four.tiedEmbeddings);
    EXPECT_TRUE(four.scaledOutput);
    const auto alone = fixture("v1_0");
    EXPECT_TRUE(readSpec(headersOf(*alone, replaced(alone->configText(), "4.57.6", "5.0.0")))
                    .t5.tiedEmbeddings);
}

TEST(T5Files, SwitchTransformersIsShownWithItsSparseBlocks) {
    const ModelSpec spec = readSpec(*fixture("switch"));
    std::set<std::string> sparse;
    for (const BlockSpec& block : spec.blocks)
        if (block.moe) sparse.insert(block.name);
    EXPECT_EQ(sparse, (std::set<std::string>{"encoder.1", "encoder.3", "decoder.1"}));
    const MoeSpec& moe = *spec.find("encoder.3")->moe;
    EXPECT_EQ(moe.experts, 4);
    EXPECT_EQ(moe.router, RouterKind::TopK);
    EXPECT_EQ(moe.k, 1);
    EXPECT_FALSE(moe.renormalize);
    EXPECT_EQ(moe.group.kind, GroupSize::Kind::Sequence);
    EXPECT_DOUBLE_EQ(moe.capacity, 64.0 * 4 / 512);
}

TEST(T5Files, AContradictionNamesKeyAndTensor) {
    const auto checkpoint = fixture("v1_1");
    const std::string config = checkpoint->configText();
    const auto refused = [&](const std::string& from, const std::string& to,
                             const std::vector<std::string>& words) {
        const HeadersOnly changed = headersOf(*checkpoint, replaced(config, from, to));
        expectWords(refusal([&] { readSpec(changed); }), words);
        EXPECT_EQ(readSpecUnchecked(changed).family, Family::T5) << "it can still be looked at";
    };
    refused("\"d_model\": 6", "\"d_model\": 8", {"d_model = 8", "shared.weight"});
    refused("\"d_ff\": 10", "\"d_ff\": 12", {"d_ff = 12", "wi_0.weight [10, 6]"});
    refused("\"num_heads\": 3", "\"num_heads\": 6", {"num_heads = 6", "[6, 6]"});
    refused("\"num_layers\": 3", "\"num_layers\": 2", {"num_layers", "encoder.2"});
    refused("\"num_layers\": 3", "\"num_layers\": 4", {"encoder.block.3", "missing"});
    refused("\"num_decoder_layers\": 2", "\"num_decoder_layers\": 1", {"num_decoder_layers"});
    refused("\"num_layers\": 3", "\"num_layers\": 9000", {"num_layers", "9002", "tensors in all"});
    refused("\"is_gated_act\": true", "\"is_gated_act\": false",
            {"feed_forward_proj", "wi_0.weight"});
    refused("\"vocab_size\": 11", "\"vocab_size\": 12", {"vocab_size = 12"});
    const auto ungated = fixture("v1_0");
    const HeadersOnly changed = headersOf(
        *ungated,
        replaced(ungated->configText(), "\"is_gated_act\": false", "\"is_gated_act\": true"));
    expectWords(refusal([&] { readSpec(changed); }), {"feed_forward_proj", "wi.weight"});
}

TEST(T5Files, SparseTensorsNeedTheirEntries) {
    HeadersOnly checkpoint = headersOf(*fixture("v1_0"), fixture("v1_0")->configText());
    const std::string place = "encoder.block.1.layer.1.";
    checkpoint.add(place + "mlp.router.classifier.weight", {2, 6});
    expectWords(refusal([&] { readSpec(checkpoint); }), {"upcycling", "encoder.1"});
    const std::string entry = R"("upcycling": {"schema": 1, "blocks": {"encoder.1": {"experts": 2,
        "capacity": 1.5, "router": "expert-choice", "renormalize": false, "group_size": "batch"}}},
        "vocab_size")";
    checkpoint.setConfig(replaced(fixture("v1_0")->configText(), "\"vocab_size\"", entry));
    expectWords(refusal([&] { readSpec(checkpoint); }), {"encoder.1", "dense MLP"});
    checkpoint.remove(place + "DenseReluDense.wi.weight");
    checkpoint.remove(place + "DenseReluDense.wo.weight");
    for (const std::string e : {"0", "1"}) {
        expectWords(refusal([&] { readSpec(checkpoint); }), {"expert_" + e, "missing"});
        checkpoint.add(place + "mlp.experts.expert_" + e + ".wi.weight", {10, 6});
        checkpoint.add(place + "mlp.experts.expert_" + e + ".wo.weight", {6, 10});
    }
    EXPECT_EQ(readSpec(checkpoint).find("encoder.1")->moe->experts, 2);
    checkpoint.add(place + "mlp.experts.expert_2.wi.weight", {10, 6});
    expectWords(refusal([&] { readSpec(checkpoint); }), {"experts = 2", "expert_2"});
}

TEST(T5Files, AnUnscaledOutputIsTiedWhereTheFileHasNoMatrixForIt) {
    const std::string five = "\"scale_decoder_outputs\": false, \"vocab_size\"";
    for (const bool own : {false, true}) {
        const auto checkpoint = fixture(own ? "v1_1" : "v1_0");
        const HeadersOnly changed =
            headersOf(*checkpoint, replaced(checkpoint->configText(), "\"vocab_size\"", five));
        EXPECT_EQ(readSpec(changed).t5.tiedEmbeddings, !own);
        EXPECT_FALSE(readSpec(changed).t5.scaledOutput);
    }
}

TEST(T5Files, WithoutRelativeBiasTheHeadsAreUnknown) {
    HeadersOnly bare = headersOf(*fixture("v1_1"), "");
    for (const std::string stack : {"encoder", "decoder"})
        bare.remove(stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight");
    EXPECT_EQ(readSpecUnchecked(bare).t5.heads, 0);
    expectWords(refusal([&] { readSpec(bare); }), {"heads"});
}

}  // namespace
}  // namespace core::test
