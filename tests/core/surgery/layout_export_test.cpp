// SPDX-License-Identifier: Apache-2.0
// Conversion into Google's layouts, and of checkpoints that came in them.
#include "core/checkpoint/layout/mapped_writer.h"
#include "core/checkpoint/readers.h"
#include "core/surgery/recipe_executor.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace core::test {
namespace {

Path fixture(const std::string& name) {
    return Path(UPCYCLER_SOURCE_DIR) / "tests/reference/layout" / name;
}

/// A file's tensors as they are stored, whatever their names mean.
std::shared_ptr<const Checkpoint> raw(const Path& file) {
    CheckpointPlace place;
    place.folder = file.parent_path();
    return file.extension() == ".npz"  ? openNpz(file, place)
           : file.extension() == ".h5" ? openHdf5(file, place)
                                       : openSafetensors(file, place);
}

/// Both files hold the same tensors: names (of `expected` without `prefix`), shapes, bytes.
void expectSameStored(const Checkpoint& made, const Checkpoint& expected,
                      const std::string& prefix = {}) {
    std::size_t count = 0;
    for (const TensorInfo& theirs : expected.tensors()) {
        if (!theirs.name.starts_with(prefix)) continue;
        ++count;
        const TensorInfo* const ours = made.find(theirs.name.substr(prefix.size()));
        ASSERT_NE(ours, nullptr) << theirs.name;
        EXPECT_EQ(ours->shape, theirs.shape) << theirs.name;
        EXPECT_EQ(made.readFloats(*ours), expected.readFloats(theirs)) << theirs.name;
    }
    EXPECT_EQ(made.tensors().size(), count);
}

ConvertOptions google(FileFormat format = FileFormat::Npz) {
    ConvertOptions options;
    options.format = format;
    options.layout = LayoutChoice::Google;
    return options;
}

struct Export {
    const char* hf;  ///< in transformers' layout
    const char* stored;
    const char* prefix;
    const char* layout;
    std::int64_t heads;
};

class GoogleNames : public testing::TestWithParam<Export> {};

/// The tables and the writer, into a container that takes any names.
TEST_P(GoogleNames, AreThoseOfTheirPrograms) {
    const Export& c = GetParam();
    const TemporaryFolder folder;
    const auto hf = Checkpoint::open(fixture(c.hf));
    StoredLayout layout = layOutStored(c.layout, hf->tensors(), c.heads);
    EXPECT_TRUE(layout.leftOut.empty());
    std::vector<TensorRecipe> recipes;
    std::vector<DType> dtypes;
    for (const StoredLayout::Part& part : layout.parts) {
        TensorRecipe& recipe = recipes.emplace_back();
        recipe.output = hf->tensors()[part.hf];
        recipe.input = recipe.output.name;
        dtypes.push_back(recipe.output.dtype);
    }
    const Path file = folder / "made.safetensors";
    const auto writer = mapWriter(CheckpointWriter::create(file, layout.tensors, {}),
                                  std::move(layout.parts), std::move(dtypes));
    const std::atomic<bool> cancel{false};
    executeRecipes(*hf, recipes, *writer, RecipeOrder::OneByOne, {}, cancel);
    writer->commit();
    expectSameStored(*raw(file), *raw(fixture(c.stored)), c.prefix);
}

INSTANTIATE_TEST_SUITE_P(
    Files, GoogleNames,
    testing::Values(Export{"hf_vit.safetensors", "google_vit.npz", "", "google-vit", 3},
                    Export{"hf_v_moe.safetensors", "v_moe.npz", "target/params/", "v-moe", 3},
                    Export{"hf_vit.safetensors", "v_moe_dense.safetensors", "", "v-moe", 3},
                    Export{"hf_t5.safetensors", "t5x.h5", "target/", "t5x", 0},
                    Export{"hf_t5_v1_1.safetensors", "t5x_v1_1.npz", "", "t5x", 0},
                    Export{"hf_t5_moe.safetensors", "t5x_moe.safetensors", "", "t5x", 0}),
    [](const testing::TestParamInfo<Export>& c) {
        std::string name = c.param.stored;
        std::replace(name.begin(), name.end(), '.', '_');
        return name;
    });

TEST(LayoutExport, T5xInHdf5) {
    const TemporaryFolder folder;
    const auto t5 = Checkpoint::open(fixture("t5x.h5"));
    convert(*t5, {}, folder / "made.h5", google(FileFormat::Hdf5));
    expectSameStored(*raw(folder / "made.h5"), *raw(fixture("t5x.h5")), "target/");
    convert(*t5, {}, folder / "again.h5", google(FileFormat::Hdf5));
    EXPECT_EQ(readBytes(folder / "made.h5"), readBytes(folder / "again.h5"));
}

struct RoundTrip {
    const char* file;
    const char* prefix;
};

/// transformers 5 says of every T5 that it is tied; the file decides.
TEST(LayoutExport, AHeadOfItsOwnStaysWhateverTheConfigSays) {
    for (const std::string type : {"t5", "mt5"}) {
        const TemporaryFolder folder;
        std::string config = SmallT5{.gated = true}.config();
        const auto replace = [&](const std::string& from, const std::string& to) {
            config.replace(config.find(from), from.size(), to);
        };
        replace("\"tie_word_embeddings\": false",
                R"("tie_word_embeddings": true, "transformers_version": "5.24.0")" +
                    std::string(type == "t5" ? R"(, "scale_decoder_outputs": false)" : ""));
        replace("\"t5\"", "\"" + type + "\"");
        SmallT5{}.write(folder / "dense");
        writeBytes(folder / "dense/config.json", config);
        const auto source = Checkpoint::open(folder / "dense");
        ASSERT_NE(source->find("lm_head.weight"), nullptr);
        convert(*source, {}, folder / "t5x.npz", google());
        const auto stored = raw(folder / "t5x.npz");
        EXPECT_TRUE(std::any_of(stored->tensors().begin(), stored->tensors().end(),
                                [](const TensorInfo& tensor) {
                                    return tensor.name.ends_with("decoder/logits_dense/kernel");
                                }))
            << type;
        ConvertOptions hf;
        hf.layout = LayoutChoice::Hf;
        convert(*Checkpoint::open(folder / "t5x.npz"), {}, folder / "back", hf);
        expectSameStored(*Checkpoint::open(folder / "back"), *source);
    }
}

TEST(LayoutExport, ThereAndBackIsTheSame) {
    for (const RoundTrip& c :
         {RoundTrip{"google_vit.npz", ""}, RoundTrip{"v_moe.npz", "target/params/"},
          RoundTrip{"t5x_v1_1.npz", ""}, RoundTrip{"google_vit_old.npz", "opt/target/"}}) {
        const TemporaryFolder folder;
        convert(*Checkpoint::open(fixture(c.file)), {}, folder / "hf");
        convert(*Checkpoint::open(folder / "hf"), {}, folder / "made.npz", google());
        expectSameStored(*raw(folder / "made.npz"), *raw(fixture(c.file)), c.prefix);
        ConvertOptions native = google();
        native.layout = LayoutChoice::Native;
        convert(*Checkpoint::open(fixture(c.file)), {}, folder / "native.npz", native);
        expectSameStored(*raw(folder / "native.npz"), *raw(fixture(c.file)), c.prefix);
        convert(*Checkpoint::open(folder / "hf"), {}, folder / "again.npz", google());
        EXPECT_EQ(readBytes(folder / "made.npz"), readBytes(folder / "again.npz"));
    }
}

TEST(LayoutExport, AnUpcycledVitInVMoe) {
    const TemporaryFolder folder;
    const auto source = SmallVit().write(folder / "dense");
    SurgeryPlan plan;
    plan.layers["encoder.1"] = moeLayer(4, {ExpertInit::Kind::Noise, 0.1});
    plan.layers["encoder.3"] = moeLayer(2);
    convert(*source, plan, folder / "hf");
    for (const auto dtype : {std::optional<DType>(), std::optional(DType::BF16)}) {
        ConvertOptions options = google();
        options.dtype = dtype;
        options.force = true;
        const ConvertResult result = convert(*source, plan, folder / "v_moe.npz", options);
        EXPECT_EQ(result.notes.size(), 1U) << "exact GELU is not theirs";
        const auto moe = Checkpoint::open(folder / "v_moe.npz");
        EXPECT_EQ(moe->layout(), "v-moe");
        ConvertOptions hfOptions;
        hfOptions.dtype = dtype;
        hfOptions.force = true;
        convert(*source, plan, folder / "hf", hfOptions);
        const auto hf = Checkpoint::open(folder / "hf");
        EXPECT_EQ(moe->tensors().size(), hf->tensors().size());
        for (const TensorInfo& tensor : hf->tensors()) {
            ASSERT_NE(moe->find(tensor.name), nullptr) << tensor.name;
            EXPECT_EQ(moe->find(tensor.name)->dtype, tensor.dtype);
            EXPECT_EQ(valuesOf(*moe, tensor.name), hf->readFloats(tensor)) << tensor.name;
        }
        EXPECT_EQ(readSpec(*moe).blocks[1].moe, readSpec(*hf).blocks[1].moe);
    }
    EXPECT_EQ(
        raw(folder / "v_moe.npz")->find("Encoder/encoderblock_1/Moe/Mlp/Dense_0/kernel")->shape,
        Shape({4, 8, 12}));
}

TEST(LayoutExport, ManyClassNamesHaveNoRoomInAnNpz) {
    const TemporaryFolder folder;
    SmallVit small;
    small.further = "\"kept\": 7,";
    const auto made = small.write(folder / "dense");
    std::string text = made->configText();
    const std::string few = "\"0\": \"a\"";
    text.replace(text.find(few), few.size(), "\"0\": \"" + std::string(70000, 'a') + "\"");
    writeBytes(folder / "dense" / "config.json", text);
    const auto dense = Checkpoint::open(folder / "dense");
    const ConvertResult result = convert(*dense, {}, folder / "vit.npz", google());
    EXPECT_TRUE(contains(result.notes.back(), "names of the 3 classes are left out"));
    const auto vit = Checkpoint::open(folder / "vit.npz");
    EXPECT_EQ(readSpec(*vit).vit.classes, 3);
    EXPECT_TRUE(contains(vit->configText(), "\"kept\": 7"));
    convert(*dense, {}, folder / "vit", google());
    EXPECT_EQ(readSpec(*Checkpoint::open(folder / "vit")).vit.labels.size(), 3U);
}

TEST(LayoutExport, AConfigThatAsksNothingMore) {
    const TemporaryFolder folder;
    convert(*Checkpoint::open(fixture("google_vit.npz")), {}, folder / "vit");
    const auto vit = Checkpoint::open(folder / "vit");
    EXPECT_EQ(vit->layout(), "hf");
    const ModelSpec spec = readSpec(*vit);
    EXPECT_EQ(spec.vit.heads, 3);
    EXPECT_EQ(spec.vit.classes, 5);
    EXPECT_EQ(spec.vit.activation, Activation::GeluTanh);
    EXPECT_EQ(spec.vit.layerNormEpsilon, 1e-6F);
    const ModelSpec config = specFromConfig(vit->configText(), "config.json");
    EXPECT_EQ(config.vit.imageSize, 6);

    convert(*Checkpoint::open(fixture("t5x.h5")), {}, folder / "t5");
    const auto t5 = Checkpoint::open(folder / "t5");
    EXPECT_TRUE(contains(t5->configText(), "\"num_heads\": 3"));
    EXPECT_EQ(specFromConfig(t5->configText(), "config.json").blocks.size(), 3U);

    convert(*Checkpoint::open(fixture("v_moe.npz")), {}, folder / "moe");
    const ModelSpec moe = readSpec(*Checkpoint::open(folder / "moe"));
    EXPECT_FALSE(moe.blocks[0].moe);
    EXPECT_EQ(moe.blocks[1].moe->experts, 3);
}

TEST(LayoutExport, AnotherImageSizeIsWritten) {
    const TemporaryFolder folder;
    OpenOptions options;
    options.imageSize = 8;
    convert(*Checkpoint::open(fixture("google_vit.npz"), options), {}, folder / "vit");
    const auto vit = Checkpoint::open(folder / "vit");
    EXPECT_EQ(readSpec(*vit).vit.imageSize, 8);
    EXPECT_EQ(vit->find("vit.embeddings.position_embeddings")->shape, Shape({1, 17, 12}));
    options.imageSize = 6;
    const auto back = Checkpoint::open(folder / "vit", options);
    EXPECT_EQ(readSpec(*back).vit.imageSize, 6);
}

TEST(LayoutExport, HeadsAreAskedForAndTaken) {
    const std::string error = errorOf(
        ErrorKind::BadInput, [] { readSpec(*Checkpoint::open(fixture("hf_vit.safetensors"))); });
    EXPECT_TRUE(contains(error, "number of attention heads"));
    OpenOptions options;
    options.heads = 3;
    EXPECT_EQ(readSpec(*Checkpoint::open(fixture("hf_vit.safetensors"), options)).vit.heads, 3);
    options.heads = 5;
    EXPECT_TRUE(contains(
        errorOf(ErrorKind::BadInput,
                [&] { readSpec(*Checkpoint::open(fixture("hf_vit.safetensors"), options)); }),
        "num_attention_heads is 5"));
    const TemporaryFolder folder;
    options.heads = 3;
    convert(*Checkpoint::open(fixture("hf_vit.safetensors"), options), {}, folder / "vit");
    EXPECT_EQ(readSpec(*Checkpoint::open(folder / "vit")).vit.heads, 3);
    options.heads = 4;
    EXPECT_TRUE(contains(
        errorOf(ErrorKind::BadInput, [&] { readSpec(*Checkpoint::open(folder / "vit", options)); }),
        "num_attention_heads = 3, but 4 heads"));
}

std::string refusal(const Checkpoint& source, const ConvertOptions& options, ErrorKind kind) {
    return errorOf(kind, [&] { convertedBytes(source, {}, options); });
}

TEST(LayoutExport, RefusalsSayWhy) {
    const auto vit = Checkpoint::open(fixture("google_vit.npz"));
    EXPECT_TRUE(contains(refusal(*vit, google(FileFormat::Safetensors), ErrorKind::Usage),
                         "the layout google-vit is written as .npz alone"));
    EXPECT_TRUE(contains(refusal(*vit, google(FileFormat::Hdf5), ErrorKind::Usage),
                         "the layout google-vit is written as .npz alone"));
    ConvertOptions native = google();
    native.layout = LayoutChoice::Native;
    EXPECT_TRUE(
        contains(refusal(*Checkpoint::open(fixture("tf_t5.h5")), native, ErrorKind::BadInput),
                 "read and not written"));
    const TemporaryFolder folder;
    SmallVit small;
    small.further = "\"unknown\": 1,";
    const auto odd = [&](const std::string& from, const std::string& to) {
        const auto made = small.write(folder / to);
        std::string text = made->configText();
        text.replace(text.find(from), from.size(), to);
        writeBytes(folder / to / "config.json", text);
        return Checkpoint::open(folder / to);
    };
    EXPECT_TRUE(contains(refusal(*odd("\"gelu\"", "\"relu\""), google(), ErrorKind::BadInput),
                         "compute GELU"));
}

TEST(LayoutExport, ASparseModelGoesToVMoe) {
    const TemporaryFolder folder;
    const auto source = SmallVit().write(folder / "dense");
    SurgeryPlan plan;
    plan.layers["encoder.1"] = moeLayer(4);
    const ModelSpec spec = compilePlan(readSpec(*source), source->tensors(), plan).output;
    EXPECT_EQ(writtenLayout(LayoutChoice::Google, *source, spec, FileFormat::Npz), "v-moe");
    EXPECT_EQ(writtenLayout(LayoutChoice::Native, *source, spec, FileFormat::Safetensors), "hf");
    EXPECT_EQ(layoutNotes("v-moe", spec).size(), 1U);
    const auto vit = Checkpoint::open(fixture("google_vit.npz"));
    EXPECT_EQ(writtenLayout(LayoutChoice::Native, *vit, readSpec(*vit), FileFormat::Npz),
              "google-vit");
    EXPECT_TRUE(layoutNotes("google-vit", readSpec(*vit)).empty());
}

TEST(LayoutExport, TensorsWithoutAPlaceAreNamed) {
    TensorInfo head;
    head.name = "classifier.weight";
    head.shape = {3, 4};
    TensorInfo pooler;
    pooler.name = "vit.pooler.dense.weight";
    pooler.shape = {4, 4};
    TensorInfo odd;
    odd.name = "vit.something";
    const std::vector<TensorInfo> known{head, pooler};
    const StoredLayout made = layOutStored("google-vit", known, 2);
    EXPECT_EQ(made.tensors.size(), 1U);
    EXPECT_EQ(made.leftOut.size(), 1U);
    const std::vector<TensorInfo> unknown{head, odd};
    EXPECT_TRUE(
        contains(errorOf(ErrorKind::BadInput, [&] { layOutStored("google-vit", unknown, 2); }),
                 "tensor vit.something has no place among the arrays of google-vit"));
    TensorInfo expert;
    expert.name = "vit.encoder.layer.0.mlp.experts.expert_1.output.dense.bias";
    expert.shape = {4};
    const std::vector<TensorInfo> gap{expert};
    EXPECT_TRUE(contains(errorOf(ErrorKind::BadInput, [&] { layOutStored("v-moe", gap, 2); }),
                         "another expert is missing"));
}

}  // namespace
}  // namespace core::test
