// SPDX-License-Identifier: Apache-2.0
// Files written by h5py and the safetensors library (tests/reference/make_checkpoint_fixtures.py).
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/readers.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/counting.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

void expectCounting(const Checkpoint& checkpoint, const std::vector<Expected>& tensors) {
    for (const Expected& expected : tensors) {
        const TensorInfo* info = checkpoint.find(expected.name);
        ASSERT_NE(info, nullptr) << expected.name;
        expectCounting(checkpoint, *info, expected);
    }
    EXPECT_EQ(checkpoint.tensors().size(), tensors.size());
}

TEST(ForeignFiles, SafetensorsLibrary) {
    const auto checkpoint = Checkpoint::open(fixture("library.safetensors"));
    EXPECT_EQ(checkpoint->metadata(),
              (std::map<std::string, std::string>{{"format", "pt"}, {"note", "naïve \"text\"\n"}}));
    expectCounting(*checkpoint, {{"f32", DType::F32, {2, 3}},
                                 {"f16", DType::F16, {5}},
                                 {"bf16", DType::BF16, {3, 2}},
                                 {"f64", DType::F64, {4}},
                                 {"i64", DType::I64, {3}},
                                 {"i8", DType::I8, {7}},
                                 {"f8", DType::F8E4M3, {4}},
                                 {"bool", DType::Bool, {3}},
                                 {"scalar", DType::F32, {}},
                                 {"empty", DType::F32, {0, 4}},
                                 {"nämé \"quoted\" \\ 𝄞", DType::F32, {1}}});
}

TEST(ForeignFiles, H5py) {
    const auto checkpoint = Checkpoint::open(fixture("h5py.h5"));
    EXPECT_EQ(checkpoint->configText(), "{\"model_type\": \"vit\"}");
    EXPECT_EQ(checkpoint->metadata(),
              (std::map<std::string, std::string>{{"note", "fixed length"}}));
    expectCounting(*checkpoint, {{"f32", DType::F32, {2, 3}},
                                 {"f16", DType::F16, {5}},
                                 {"bf16", DType::BF16, {3, 2}},
                                 {"f64", DType::F64, {4}},
                                 {"big.endian", DType::F32, {2, 2}},
                                 {"big.half", DType::F16, {3}},
                                 {"i64", DType::I64, {3}},
                                 {"bool", DType::Bool, {3}},
                                 {"scalar", DType::F32, {}},
                                 {"empty", DType::F32, {0, 4}},
                                 {"chunked", DType::F32, {5, 4, 3}},
                                 {"compact.chunk", DType::I32, {4}}});
}

TEST(ForeignFiles, RangesOfAChunkedDataset) {
    const auto checkpoint = Checkpoint::open(fixture("h5py.h5"));
    const TensorInfo& info = *checkpoint->find("chunked");
    const std::vector<float> all = counting(60);
    for (std::int64_t begin = 0; begin < 60; begin += 7)
        for (std::int64_t count = 0; begin + count <= 60; count += 5) {
            std::vector<float> part(static_cast<std::size_t>(count));
            checkpoint->read(info, begin, count, std::as_writable_bytes(std::span(part)));
            ASSERT_TRUE(std::equal(part.begin(), part.end(), all.begin() + begin))
                << begin << " " << count;
        }
}

TEST(ForeignFiles, APackedDatasetOfMoreThanOneWindow) {
    const auto checkpoint = Checkpoint::open(fixture("windows.h5"));
    const TensorInfo& info = *checkpoint->find("wide");
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(info.shape.elements()));
    for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = static_cast<std::uint8_t>(i / 512'000);
    std::vector<std::uint8_t> read(expected.size());
    const auto readSlice = [&](std::size_t begin, std::size_t count) {
        const auto slice = std::span(read).subspan(begin, count);
        checkpoint->read(info, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(count),
                         std::as_writable_bytes(slice));
    };
    for (std::size_t at = 0; at < read.size(); at += 1'234'567)
        readSlice(at, std::min<std::size_t>(1'234'567, read.size() - at));
    EXPECT_TRUE(read == expected);
    read.assign(read.size(), 99);
    readSlice(0, read.size());
    EXPECT_TRUE(read == expected);
    readSlice(18'000'000, 400'000);
    readSlice(3, 1);
    EXPECT_TRUE(read == expected);
}

TEST(ForeignFiles, FlatHdf5WithoutOurAttributes) {
    const auto checkpoint = Checkpoint::open(fixture("plain.h5"));
    EXPECT_TRUE(checkpoint->configText().empty());
    expectCounting(*checkpoint, {{"weight", DType::F32, {2, 2}}});
}

/// As the file names its tensors, whatever layout is recognised.
std::shared_ptr<const Checkpoint> openRaw(const std::string& name) {
    return openHdf5(fixture(name), CheckpointPlace{fixture(name).parent_path(), {}});
}

TEST(ForeignFiles, Hdf5WithGroups) {
    const auto checkpoint = openRaw("groups.h5");
    expectCounting(*checkpoint, {{"params/encoder/layers_0/mlp/wi/kernel", DType::F32, {2, 3}},
                                 {"params/encoder/layers_0/mlp/wo/kernel", DType::F32, {3, 2}},
                                 {"params/encoder/layers_10/scale", DType::F32, {4}},
                                 {"params/chunked", DType::F32, {5, 4, 3}},
                                 {"params/tied", DType::F32, {4}}});
}

/// The names of the tensors, in the checkpoint's order.
std::vector<std::string> rawNames(const Checkpoint& checkpoint) {
    std::vector<std::string> names;
    for (const TensorInfo& info : checkpoint.tensors()) names.push_back(info.name);
    return names;
}

const std::vector<Expected> kT5Weights{
    {"shared/tf_t5for_conditional_generation/shared/shared.weight:0", DType::F32, {5, 2}},
    {"encoder/tf_t5for_conditional_generation/encoder/block_._0/layer_._0/SelfAttention/q/kernel:0",
     DType::F32,
     {2, 3}},
    {"encoder/tf_t5for_conditional_generation/encoder/final_layer_norm/weight:0", DType::F32, {2}},
    {"decoder/tf_t5for_conditional_generation/decoder/final_layer_norm/weight:0", DType::F32, {2}}};

TEST(ForeignFiles, TensorFlowWeightsInTheOrderOfTheAttributes) {
    const auto checkpoint = openRaw("tf_model.h5");
    expectCounting(*checkpoint, kT5Weights);
    std::vector<std::string> names;
    for (const Expected& weight : kT5Weights) names.emplace_back(weight.name);
    EXPECT_EQ(rawNames(*checkpoint), names);
    EXPECT_EQ(checkpoint->metadata(), (std::map<std::string, std::string>{
                                          {"backend", "tensorflow"}, {"keras_version", "2.15.0"}}));
    EXPECT_TRUE(checkpoint->notes().empty());
}

TEST(ForeignFiles, KerasListsThatAreSplit) {
    std::vector<Expected> weights = kT5Weights;
    weights.push_back({"top_level_model_weights/cls_token:0", DType::F32, {1, 1, 2}});
    const auto checkpoint = openRaw("keras_split.h5");
    expectCounting(*checkpoint, weights);
    EXPECT_EQ(rawNames(*checkpoint).back(), "top_level_model_weights/cls_token:0");
}

TEST(ForeignFiles, AWholeKerasModel) {
    const auto checkpoint = openRaw("keras_model.h5");
    expectCounting(*checkpoint, kT5Weights);
    EXPECT_EQ(checkpoint->metadata(),
              (std::map<std::string, std::string>{{"keras_version", "2.15.0"}}));
    ASSERT_EQ(checkpoint->notes().size(), 1U);
    EXPECT_NE(checkpoint->notes()[0].find("whole Keras model"), std::string::npos);
}

TEST(ForeignFiles, OtherKerasLists) {
    expectCounting(*openRaw("tf_shard.h5"), {{"encoder/final_layer_norm/weight:0", DType::F32, {4}},
                                             {"shared/shared/weight:0", DType::F32, {4}}});
    const auto checkpoint = openRaw("keras_variable.h5");
    expectCounting(*checkpoint, {{"dense/dense/kernel:0", DType::F32, {2, 2}},
                                 {"dense/dense/bias:0", DType::F32, {2}}});
    EXPECT_EQ(rawNames(*checkpoint)[0], "dense/dense/kernel:0");
}

class RefusedHdf5 : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RefusedHdf5, WithItsReason) {
    const auto [file, reason] = GetParam();
    const Path path = fixture(file);
    const std::string text = errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); });
    EXPECT_NE(text.find(reason), std::string::npos) << text;
    EXPECT_NE(text.find(path.string()), std::string::npos) << text;
    EXPECT_EQ(text.find("H5"), std::string::npos) << "text of the library: " << text;
}

INSTANTIATE_TEST_SUITE_P(
    Files, RefusedHdf5,
    testing::Values(std::pair{"soft_link.h5", "'alias' is a link"},
                    std::pair{"external_link.h5", "'weight' is a link"},
                    std::pair{"external_storage.h5", "other files"},
                    std::pair{"virtual.h5", "other files"},
                    std::pair{"circle.h5", "the group 'a/b' is reached twice"},
                    std::pair{"link_in_group.h5", "'a/alias' is a link"},
                    std::pair{"type_in_group.h5", "'a/type' is not a dataset"},
                    std::pair{"keras_missing.h5", "there is no 'dense/bias:0'"},
                    std::pair{"keras_numbers.h5", "layer_names of the file"},
                    std::pair{"keras_twice.h5", "'dense/kernel:0' is listed twice"},
                    std::pair{"keras_root.h5", "odd path"},
                    std::pair{"keras_link.h5", "reached by a link ('alias')"},
                    std::pair{"keras_external.h5", "by a link ('dense/far:0')"},
                    std::pair{"keras_group.h5", "'dense/sub' is not a dataset"},
                    std::pair{"keras_utf8.h5", "not UTF-8"},
                    std::pair{"keras_unlisted.h5", "layer 'dense' has no attribute"},
                    std::pair{"string.h5", "number type"}, std::pair{"compound.h5", "number type"},
                    std::pair{"lying_label.h5", "dtype attribute 'BF16'"},
                    std::pair{"unstored.h5", "stores 0 bytes"},
                    std::pair{"unstored_chunks.h5", "stores 0 bytes"},
                    std::pair{"lzf.h5", "filter 32000"}),
    [](const auto& parameter) {
        const std::string name = parameter.param.first;
        return name.substr(0, name.find('.'));
    });

}  // namespace
}  // namespace core::test
