// SPDX-License-Identifier: Apache-2.0
// Foreign names and axes against tests/reference/make_layout_fixtures.py, which states them a
// second time.
#include "core/checkpoint/layout.h"

#include "core/checkpoint/axis_permutation.h"
#include "core/checkpoint/layout/position_resize.h"
#include "core/checkpoint/layout/tensor_map.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

#include <numeric>

namespace core::test {
namespace {

Path fixture(const std::string& name) {
    return Path(UPCYCLER_SOURCE_DIR) / "tests/reference/layout" / name;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// `mapped` holds the tensors of `hf` with their shapes and elements.
void expectSame(const Checkpoint& mapped, const Checkpoint& hf) {
    for (const TensorInfo& expected : hf.tensors()) {
        const TensorInfo* const tensor = mapped.find(expected.name);
        ASSERT_NE(tensor, nullptr) << expected.name;
        EXPECT_EQ(tensor->shape, expected.shape) << expected.name;
        EXPECT_EQ(tensor->bytes, expected.bytes) << expected.name;
        EXPECT_EQ(mapped.readFloats(*tensor), hf.readFloats(expected)) << expected.name;
    }
}

struct Case {
    const char* file;
    const char* hf;
    const char* layout;
    std::size_t further;  ///< tensors beyond those of `hf`
};

class Layouts : public testing::TestWithParam<Case> {};

TEST_P(Layouts, AreReadAsTransformersHasThem) {
    const Case& c = GetParam();
    const auto mapped = Checkpoint::open(fixture(c.file));
    EXPECT_EQ(mapped->layout(), c.layout);
    const auto hf = Checkpoint::open(fixture(c.hf));
    EXPECT_EQ(hf->layout(), "hf");
    EXPECT_EQ(mapped->tensors().size(), hf->tensors().size() + c.further);
    expectSame(*mapped, *hf);
}

INSTANTIATE_TEST_SUITE_P(
    Files, Layouts,
    testing::Values(Case{"google_vit.safetensors", "hf_vit.safetensors", "google-vit", 0},
                    Case{"v_moe.safetensors", "hf_v_moe.safetensors", "v-moe", 0},
                    Case{"google_vit.npz", "hf_vit.safetensors", "google-vit", 0},
                    Case{"google_vit_old.npz", "hf_vit.safetensors", "google-vit", 2},
                    Case{"google_vit_linen.npz", "hf_vit.safetensors", "google-vit", 0},
                    Case{"v_moe.npz", "hf_v_moe.safetensors", "v-moe", 0},
                    Case{"t5x_v1_1.npz", "hf_t5_v1_1.safetensors", "t5x", 0},
                    Case{"t5x.h5", "hf_t5.safetensors", "t5x", 0},
                    Case{"tf_t5.h5", "hf_t5.safetensors", "tensorflow", 0},
                    Case{"tf_vit.h5", "hf_vit.safetensors", "tensorflow", 0},
                    Case{"v_moe_dense.safetensors", "hf_vit.safetensors", "v-moe", 0},
                    Case{"t5x.safetensors", "hf_t5.safetensors", "t5x", 0},
                    Case{"t5x_v1_1.safetensors", "hf_t5_v1_1.safetensors", "t5x", 0},
                    Case{"t5x_moe.safetensors", "hf_t5_moe.safetensors", "t5x", 0},
                    Case{"tf_t5.safetensors", "hf_t5.safetensors", "tensorflow", 0},
                    Case{"tf_t5_v1_1.safetensors", "hf_t5_v1_1.safetensors", "tensorflow", 0},
                    Case{"tf_vit.safetensors", "hf_vit.safetensors", "tensorflow", 0}),
    [](const testing::TestParamInfo<Case>& c) {
        std::string name = c.param.file;
        for (char& letter : name)
            if (letter == '.') letter = '_';
        return name;
    });

TEST(Layout, SaysWhereATensorLies) {
    const auto vit = Checkpoint::open(fixture("google_vit.safetensors"));
    EXPECT_EQ(vit->find("vit.encoder.layer.1.intermediate.dense.weight")->storedAs,
              "Transformer/encoderblock_1/MlpBlock_3/Dense_0/kernel");
    const auto moe = Checkpoint::open(fixture("v_moe.safetensors"));
    const std::string expert = "vit.encoder.layer.1.mlp.experts.expert_2.output.dense.bias";
    EXPECT_EQ(moe->find(expert)->storedAs, "params/Encoder/encoderblock_1/Moe/Mlp/Dense_1/bias[2]");
    EXPECT_EQ(moe->find(expert)->offset,
              moe->find("vit.encoder.layer.1.mlp.experts.expert_0.output.dense.bias")->offset +
                  2 * moe->find(expert)->bytes);
    EXPECT_EQ(Checkpoint::open(fixture("hf_vit.safetensors"))->find("classifier.weight")->storedAs,
              "");
}

TEST(Layout, ReadsAnyRange) {
    const auto vit = Checkpoint::open(fixture("google_vit.safetensors"));
    for (const char* name : {"vit.embeddings.patch_embeddings.projection.weight",
                             "vit.encoder.layer.0.attention.output.dense.weight"}) {
        const TensorInfo& tensor = *vit->find(name);
        const std::vector<float> all = vit->readFloats(tensor);
        for (const std::int64_t begin : {0, 1, 17, 100})
            for (const std::int64_t count : {0, 1, 5, 44}) {
                std::vector<float> part(static_cast<std::size_t>(count));
                vit->read(tensor, begin, count, std::as_writable_bytes(std::span(part)));
                EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + begin)) << name;
            }
    }
}

TEST(Layout, OptimizerStateIsLeftAsideAndSaid) {
    const auto t5 = Checkpoint::open(fixture("t5x.safetensors"));
    ASSERT_EQ(t5->notes().size(), 1U);
    EXPECT_TRUE(contains(t5->notes()[0], "state/param_states/token_embedder/embedding/v"));
    EXPECT_TRUE(contains(t5->notes()[0], "left aside"));
}

TEST(Layout, FactsForAConfig) {
    const auto config = [](const char* file, const OpenOptions& options = {}) {
        return Checkpoint::open(fixture(file), options)->layoutConfig();
    };
    EXPECT_TRUE(contains(config("google_vit.safetensors"), "\"num_attention_heads\": 3"));
    EXPECT_TRUE(contains(config("google_vit.safetensors"), "\"hidden_act\": \"gelu_new\""));
    EXPECT_TRUE(contains(config("google_vit.safetensors"), "\"layer_norm_eps\": 1e-06"));
    EXPECT_EQ(config("hf_vit.safetensors"), "");
    OpenOptions heads;
    heads.heads = 3;
    EXPECT_TRUE(contains(config("hf_vit.safetensors", heads), "\"num_attention_heads\": 3"));
    EXPECT_FALSE(contains(config("hf_vit.safetensors", heads), "layer_norm_eps"));
    for (const char* file : {"t5x.safetensors", "hf_t5.safetensors", "tf_t5.safetensors"}) {
        const std::string t5 = config(file);
        for (const char* part :
             {"\"vocab_size\": 40", "\"d_model\": 12", "\"d_kv\": 4", "\"d_ff\": 20",
              "\"num_heads\": 3", "\"num_layers\": 2", "\"num_decoder_layers\": 1",
              "\"relative_attention_num_buckets\": 8", "\"feed_forward_proj\": \"relu\"",
              "\"tie_word_embeddings\": true"})
            EXPECT_TRUE(contains(t5, part)) << file << part;
    }
    for (const char* file : {"t5x_v1_1.safetensors", "hf_t5_v1_1.safetensors"}) {
        EXPECT_TRUE(contains(config(file), "\"feed_forward_proj\": \"gated-gelu\"")) << file;
        EXPECT_TRUE(contains(config(file), "\"tie_word_embeddings\": false")) << file;
    }
}

TEST(Layout, HeadsThatContradictTheTensorsAreRefused) {
    OpenOptions options;
    options.heads = 4;
    const std::string error = errorOf(
        ErrorKind::Usage, [&] { Checkpoint::open(fixture("google_vit.safetensors"), options); });
    EXPECT_TRUE(contains(error, "have 3 attention heads, 4 were given")) << error;
}

class Made : public testing::Test {
  protected:
    std::shared_ptr<const Checkpoint> open(const std::vector<NamedFloats>& tensors) {
        const Path file = folder_ / "made.safetensors";
        WriterOptions options;
        options.force = true;
        writeCheckpoint(file, tensors, options);
        return Checkpoint::open(file);
    }
    static NamedFloats zeros(const std::string& name, const Shape& shape) {
        return {name, shape, std::vector<float>(static_cast<std::size_t>(shape.elements()))};
    }
    TemporaryFolder folder_;
};

TEST_F(Made, UnknownTensorsKeepTheirNames) {
    const auto vit = open({zeros("Transformer/encoder_norm/scale", {2}),
                           zeros("Transformer/encoderblock_00/LayerNorm_0/scale", {2}),
                           zeros("extra/thing", {3})});
    EXPECT_EQ(vit->layout(), "google-vit");
    EXPECT_NE(vit->find("vit.layernorm.weight"), nullptr);
    EXPECT_NE(vit->find("extra/thing"), nullptr);
    EXPECT_EQ(vit->find("extra/thing")->storedAs, "");
    ASSERT_EQ(vit->notes().size(), 1U);
    EXPECT_TRUE(contains(vit->notes()[0], "extra/thing"));
    EXPECT_TRUE(contains(vit->notes()[0], "encoderblock_00"));
    EXPECT_EQ(open({zeros("what", {2}), zeros("ever", {3})})->layout(), "unknown");
}

TEST_F(Made, PreLogitsAreKeptAndSaid) {
    const auto vit = open({zeros("opt/target/Transformer/encoder_norm/scale", {2}),
                           zeros("opt/target/pre_logits/kernel", {2, 2})});
    ASSERT_NE(vit->find("pre_logits/kernel"), nullptr);
    EXPECT_EQ(vit->find("pre_logits/kernel")->storedAs, "opt/target/pre_logits/kernel");
    EXPECT_TRUE(contains(vit->notes()[0], "there is a layer pre_logits (dense, tanh)"));
}

TEST_F(Made, OtherNetworksAreUnknownAndSaid) {
    const auto hybrid = open(
        {zeros("Transformer/encoder_norm/scale", {2}), zeros("conv_root/kernel", {1, 1, 1, 1})});
    EXPECT_EQ(hybrid->layout(), "unknown");
    EXPECT_TRUE(contains(hybrid->notes().at(0), "ResNet stem"));
    const auto scanned = open({zeros("target/encoder/encoder_norm/scale", {2}),
                               zeros("target/encoder/encoder/attention/query/kernel", {2, 2, 2})});
    EXPECT_EQ(scanned->layout(), "unknown");
    EXPECT_TRUE(contains(scanned->notes().at(0), "scanned layers"));
}

TEST_F(Made, WrongAxesAreRefused) {
    const std::string kernel = "Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/";
    const std::string error = errorOf(ErrorKind::BadInput, [&] {
        open({zeros("Transformer/encoder_norm/scale", {2}), zeros(kernel + "kernel", {4})});
    });
    EXPECT_TRUE(contains(error, "made.safetensors: tensor " + kernel +
                                    "kernel has the shape [4], expected [in, heads, head size]"))
        << error;
    errorOf(ErrorKind::BadInput, [&] {
        open({zeros("Encoder/encoder_norm/scale", {2}),
              zeros("Encoder/encoderblock_0/Moe/Mlp/Dense_0/bias", {100000, 0})});
    });
    std::vector<NamedFloats> empty{zeros("Encoder/encoder_norm/scale", {2})};
    for (int i = 0; i < 4; ++i)
        empty.push_back(zeros("Encoder/encoderblock_" + std::to_string(i) + "/Moe/Mlp/Dense_0/bias",
                              {65536, 0}));
    EXPECT_TRUE(contains(errorOf(ErrorKind::BadInput, [&] { open(empty); }),
                         "the stacks of experts hold more than 200000 tensors"));
    errorOf(ErrorKind::BadInput, [&] {
        open({zeros("Transformer/encoder_norm/scale", {2}), zeros(kernel + "kernel", {4, 2, 2}),
              zeros("Transformer/encoderblock_1/MultiHeadDotProductAttention_1/query/kernel",
                    {4, 4, 1})});
    });
}

TEST_F(Made, TwoTensorsForOneNameAreKeptApart) {
    const auto vit = open({zeros("Transformer/encoder_norm/scale", {2}),
                           zeros("Transformer/encoderblock_0/LayerNorm_2/bias", {2}),
                           zeros("Transformer/encoderblock_0/LayerNorm_1/bias", {3})});
    EXPECT_EQ(vit->find("vit.encoder.layer.0.layernorm_after.bias")->shape, Shape({2}));
    EXPECT_NE(vit->find("Transformer/encoderblock_0/LayerNorm_1/bias"), nullptr);
    EXPECT_TRUE(contains(vit->notes().at(0), "a second time"));
}

TEST_F(Made, StrayCrossAttentionBiasIsSaid) {
    const std::string stray =
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";
    const auto t5 = open({zeros("shared.weight", {2, 2}), zeros(stray, {2, 2})});
    EXPECT_EQ(t5->layout(), "hf");
    EXPECT_NE(t5->find(stray), nullptr);
    EXPECT_TRUE(contains(t5->notes().at(0), stray));
}

TEST(TensorMaps, InvertTheirTables) {
    const std::vector<NameRule> rules{{"a/{i}/stack", "x.{i}.e.{e}.w", Axes::Transposed},
                                      {"a/{i}/q", "x.{i}.q", Axes::HeadsOut},
                                      {"conv", "conv", Axes::Convolution}};
    TensorInfo expert;
    expert.name = "x.12.e.7.w";
    expert.shape = {3, 5};
    const auto stored = mapToStored(rules, expert, 1, true);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->map.stored, "a/12/stack");
    EXPECT_EQ(stored->map.slice, 7);
    EXPECT_EQ(stored->shape, Shape({0, 5, 3}));
    TensorInfo query;
    query.name = "x.0.q";
    query.shape = {6, 5};
    EXPECT_EQ(mapToStored(rules, query, 2, true)->shape, Shape({5, 2, 3}));
    EXPECT_EQ(mapToStored(rules, query, 2, false)->shape, Shape({5, 6}));
    query.name = "x.00.q";
    EXPECT_FALSE(mapToStored(rules, query, 2, true));
}

/// Every permutation of a shape, whole and in pieces, against the definition.
TEST(AxisPermutations, AgreeWithTheDefinition) {
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{37, 41}, Shape{1, 5, 1}, Shape{3, 1, 70},
                               Shape{2, 34, 33}, Shape{3, 4, 5, 6}, Shape{2, 0, 3}}) {
        std::vector<int> order(shape.rank());
        std::iota(order.begin(), order.end(), 0);
        const std::int64_t elements = shape.elements();
        std::vector<std::uint16_t> source(static_cast<std::size_t>(elements));
        std::iota(source.begin(), source.end(), std::uint16_t{0});
        do {
            std::vector<std::int64_t> strides(shape.rank());
            std::int64_t stride = 1;
            for (std::size_t a = order.size(); a-- > 0;) {
                strides[static_cast<std::size_t>(order[a])] = stride;
                stride *= shape[order[a]];
            }
            std::vector<std::uint16_t> expected(source.size());
            for (std::int64_t i = 0; i < elements; ++i) {
                std::int64_t rest = i;
                std::int64_t to = 0;
                for (std::size_t a = shape.rank(); a-- > 0;) {
                    to += rest % shape.sizes()[a] * strides[a];
                    rest /= shape.sizes()[a];
                }
                expected[static_cast<std::size_t>(to)] = source[static_cast<std::size_t>(i)];
            }
            const AxisPermutation permutation(shape, order, sizeof(std::uint16_t));
            for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, source.size() + 1}) {
                std::vector<std::uint16_t> result(source.size(), 0xFFFF);
                for (std::size_t begin = 0; begin < source.size(); begin += piece)
                    permutation.scatter(static_cast<std::int64_t>(begin),
                                        std::as_bytes(std::span(source).subspan(
                                            begin, std::min(piece, source.size() - begin))),
                                        std::as_writable_bytes(std::span(result)));
                EXPECT_EQ(result, expected) << toString(shape) << piece;
            }
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST(PositionResize, IsScipysZoom) {
    const auto expected = Checkpoint::open(fixture("positions.safetensors"));
    for (const std::int64_t grid : {1, 2, 4, 7}) {
        OpenOptions options;
        options.imageSize = 2 * grid;
        const auto vit = Checkpoint::open(fixture("google_vit.safetensors"), options);
        const TensorInfo& positions = *vit->find("vit.embeddings.position_embeddings");
        EXPECT_EQ(positions.shape, Shape({1, 1 + grid * grid, 12}));
        const std::vector<float> made = vit->readFloats(positions);
        const std::vector<float> scipy =
            expected->readFloats(*expected->find("grid_" + std::to_string(grid)));
        ASSERT_EQ(made.size(), scipy.size());
        for (std::size_t i = 0; i < made.size(); ++i) EXPECT_NEAR(made[i], scipy[i], 1e-6F);
        EXPECT_TRUE(contains(vit->layoutConfig(), "\"image_size\": " + std::to_string(2 * grid)));
        EXPECT_TRUE(contains(vit->notes().back(), "is resized from"));
    }
}

TEST(PositionResize, RefusesWhatHasNoGrid) {
    OpenOptions options;
    options.imageSize = 7;
    errorOf(ErrorKind::Usage,
            [&] { Checkpoint::open(fixture("google_vit.safetensors"), options); });
    options.imageSize = 8;
    errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(fixture("hf_t5.safetensors"), options); });
}

}  // namespace
}  // namespace core::test
