// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/convert.h"

#include "core/base/parallel.h"
#include "core/checkpoint/tensor_stats.h"
#include "core/surgery/modeling.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace core::test {
namespace {

class Convert : public testing::Test {
  protected:
    std::shared_ptr<const Checkpoint> dense(const SmallVit& vit = {}) {
        return vit.write(folder / "dense");
    }
    std::shared_ptr<const Checkpoint> converted(const Checkpoint& source, const SurgeryPlan& plan,
                                                const ConvertOptions& options = {}) {
        const Path target = folder / ("out" + std::to_string(count++));
        convert(source, plan, target, options);
        return Checkpoint::open(target);
    }
    std::string refused(ErrorKind kind, const Checkpoint& source, const Path& target,
                        const ConvertOptions& options = {}, const SurgeryPlan& plan = {}) {
        const std::size_t before = folder.entries();
        const std::string text = errorOf(kind, [&] { convert(source, plan, target, options); });
        EXPECT_EQ(folder.entries(), before);
        return text;
    }
    TemporaryFolder folder;
    int count = 0;
};

struct Moments {
    double mean = 0, std = 0;
};
Moments momentsOf(const std::vector<float>& values) {
    Moments m;
    for (const float value : values) m.mean += static_cast<double>(value);
    m.mean /= static_cast<double>(values.size());
    for (const float value : values) m.std += std::pow(static_cast<double>(value) - m.mean, 2);
    m.std = std::sqrt(m.std / static_cast<double>(values.size()));
    return m;
}

TEST_F(Convert, AnUntouchedModelKeepsEveryByte) {
    const auto source = dense({.dtype = DType::BF16});
    const auto copy = converted(*source, {});
    EXPECT_EQ(readBytes(folder / "dense/config.json"), readBytes(folder / "out0/config.json"));
    EXPECT_EQ(readBytes(folder / "dense/model.safetensors"),
              readBytes(folder / "out0/model.safetensors"));
}

TEST_F(Convert, ExpertsAreExactCopiesAndTheRestIsUntouched) {
    const auto source = dense();
    SurgeryPlan plan;
    plan.layers["encoder.1"] = plan.layers["encoder.3"] = moeLayer(3);
    const auto sparse = converted(*source, plan);
    for (const int layer : {1, 3})
        for (const std::string& piece : mlpPieces())
            for (int e = 0; e < 3; ++e)
                EXPECT_EQ(valuesOf(*sparse, expertTensor(layer, e, piece)),
                          valuesOf(*source, denseTensor(layer, piece)));
    for (const TensorInfo& tensor : source->tensors()) {
        const TensorInfo* kept = sparse->find(tensor.name);
        const bool replaced = contains(tensor.name, "layer.1.intermediate") ||
                              contains(tensor.name, "layer.1.output.dense") ||
                              contains(tensor.name, "layer.3.intermediate") ||
                              contains(tensor.name, "layer.3.output.dense");
        ASSERT_EQ(kept == nullptr, replaced) << tensor.name;
        if (kept == nullptr) continue;
        EXPECT_EQ(sparse->readFloats(*kept), source->readFloats(tensor)) << tensor.name;
    }
    EXPECT_EQ(readSpec(*sparse).blocks[3].moe, plan.layers["encoder.3"].moe);
    EXPECT_FALSE(readSpec(*sparse).blocks[2].moe);
}

TEST_F(Convert, RouterFollowsItsRecipe) {
    const auto source = dense({.hidden = 64, .dtype = DType::BF16});
    SurgeryPlan plan;
    for (const auto& [block, kind] : {std::pair("encoder.0", RouterInit::Kind::Normal),
                                      std::pair("encoder.1", RouterInit::Kind::Lecun),
                                      std::pair("encoder.2", RouterInit::Kind::Zero)}) {
        plan.layers[block] = moeLayer(40);
        plan.layers[block].routerInit = {kind, 0.5};
    }
    const auto sparse = converted(*source, plan);
    const auto router = [&](int layer) {
        const std::string name =
            "vit.encoder.layer." + std::to_string(layer) + ".mlp.router.classifier.weight";
        EXPECT_EQ(sparse->find(name)->dtype, DType::BF16);
        return valuesOf(*sparse, name);
    };
    EXPECT_NEAR(momentsOf(router(0)).std, 0.5, 0.03);
    EXPECT_NEAR(momentsOf(router(0)).mean, 0, 0.03);
    EXPECT_NEAR(momentsOf(router(1)).std, 1.0 / 8, 0.008);
    EXPECT_EQ(router(2), std::vector<float>(40 * 64, 0.0F));
}

TEST_F(Convert, NoiseIsThatShareOfEachTensorsDeviation) {
    const auto source = dense({.hidden = 32, .inner = 64});
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Noise, 0.25});
    const auto sparse = converted(*source, plan);
    for (const std::string& piece : mlpPieces()) {
        const std::vector<float> original = valuesOf(*source, denseTensor(2, piece));
        std::vector<float> noise = valuesOf(*sparse, expertTensor(2, 0, piece));
        const std::vector<float> other = valuesOf(*sparse, expertTensor(2, 1, piece));
        EXPECT_NE(noise, other) << piece;
        for (std::size_t i = 0; i < noise.size(); ++i) noise[i] -= original[i];
        const double expected = 0.25 * momentsOf(original).std;
        const double margin = 4 * expected / std::sqrt(static_cast<double>(noise.size()));
        EXPECT_NEAR(momentsOf(noise).std, expected, margin) << piece;
        EXPECT_NEAR(momentsOf(noise).mean, 0, margin) << piece;
    }
}

/// The neurons of an expert that differ from the dense MLP, by tensor.
std::vector<bool> changedNeurons(const Checkpoint& source, const Checkpoint& sparse, int expert,
                                 const std::string& piece, std::size_t inner, bool columns) {
    const std::vector<float> a = valuesOf(source, denseTensor(2, piece));
    const std::vector<float> b = valuesOf(sparse, expertTensor(2, expert, piece));
    const std::size_t width = a.size() / inner;
    std::vector<bool> changed(inner);
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) changed[columns ? i % inner : i / width] = true;
    return changed;
}

TEST_F(Convert, DropDrawsOneNeuronSetAnewInAllTensorsOfAnExpert) {
    const std::size_t inner = 101;
    const auto source = dense({.hidden = 32, .inner = 101});
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Drop, 0.4});
    const auto sparse = converted(*source, plan);
    std::vector<std::vector<bool>> sets;
    for (int e = 0; e < 2; ++e) {
        const std::vector<bool> set =
            changedNeurons(*source, *sparse, e, "intermediate.dense.weight", inner, false);
        EXPECT_EQ(std::count(set.begin(), set.end(), true), 40);
        EXPECT_EQ(changedNeurons(*source, *sparse, e, "intermediate.dense.bias", inner, false),
                  set);
        EXPECT_EQ(changedNeurons(*source, *sparse, e, "output.dense.weight", inner, true), set);
        EXPECT_EQ(valuesOf(*sparse, expertTensor(2, e, "output.dense.bias")),
                  valuesOf(*source, denseTensor(2, "output.dense.bias")));
        sets.push_back(set);
    }
    EXPECT_NE(sets[0], sets[1]);
}

TEST_F(Convert, DropDrawsFromTheReplacedSlicesMeanAndDeviation) {
    const auto source = dense({.hidden = 64, .inner = 64});
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(1, {ExpertInit::Kind::Drop, 0.5});
    const auto sparse = converted(*source, plan);
    const std::string piece = "intermediate.dense.weight";
    const std::vector<float> a = valuesOf(*source, denseTensor(2, piece));
    const std::vector<float> b = valuesOf(*sparse, expertTensor(2, 0, piece));
    std::vector<float> before;
    std::vector<float> after;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i]) {
            before.push_back(a[i]);
            after.push_back(b[i]);
        }
    EXPECT_EQ(before.size(), 32U * 64U);
    EXPECT_NEAR(momentsOf(after).mean, momentsOf(before).mean, 0.1);
    EXPECT_NEAR(momentsOf(after).std, momentsOf(before).std, 0.08);
}

TEST_F(Convert, DropEdges) {
    const auto source = dense();
    for (const double ratio : {0.0, 1.0}) {
        SurgeryPlan plan;
        plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Drop, ratio});
        const auto sparse = converted(*source, plan);
        const std::vector<bool> set =
            changedNeurons(*source, *sparse, 0, "intermediate.dense.weight", 12, false);
        EXPECT_EQ(std::count(set.begin(), set.end(), true), ratio == 0 ? 0 : 12);
    }
}

TEST_F(Convert, RandomExpertsForgetTheDenseMlp) {
    const auto source = dense({.hidden = 32, .inner = 64});
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Random, 0});
    const auto sparse = converted(*source, plan);
    const std::vector<float> weight = valuesOf(*sparse, expertTensor(2, 0, mlpPieces()[0]));
    EXPECT_NEAR(momentsOf(weight).std, 0.02, 0.002);
    EXPECT_NE(weight, valuesOf(*sparse, expertTensor(2, 1, mlpPieces()[0])));
    EXPECT_EQ(valuesOf(*sparse, expertTensor(2, 0, mlpPieces()[1])), std::vector<float>(64, 0.0F));
}

TEST_F(Convert, RandomExpertsHaveTheConfigsDeviation) {
    const auto source =
        dense({.hidden = 32, .inner = 64, .further = "\"initializer_range\": 0.125, "});
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Random, 0});
    const auto sparse = converted(*source, plan);
    const std::vector<float> weight = valuesOf(*sparse, expertTensor(2, 1, mlpPieces()[0]));
    EXPECT_NEAR(momentsOf(weight).std, 0.125, 0.0125);
}

TEST_F(Convert, SameSeedSameBytesOnAnyNumberOfThreads) {
    const auto source = dense({.hidden = 96, .inner = 384, .dtype = DType::BF16});
    SurgeryPlan plan;
    plan.seed = 3;
    plan.layers["encoder.1"] = moeLayer(2, {ExpertInit::Kind::Noise, 0.1});
    plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Drop, 0.5});
    plan.layers["encoder.3"] = moeLayer(2, {ExpertInit::Kind::Random, 0});
    const int before = threads();
    for (const FileFormat format : {FileFormat::Safetensors, FileFormat::Hdf5}) {
        const char* const name = format == FileFormat::Hdf5 ? "/model.h5" : "/model.safetensors";
        std::vector<std::string> bytes;
        for (const int team : {1, 3, 1}) {
            setThreads(team);
            ConvertOptions options;
            options.format = format;
            const std::string out = "team" + std::to_string(count++);
            convert(*source, plan, folder / out, options);
            bytes.push_back(readBytes(folder / (out + name)));
        }
        EXPECT_EQ(bytes[0], bytes[1]);
        EXPECT_EQ(bytes[0], bytes[2]);
    }
    setThreads(before);
    plan.seed = 4;
    const auto other = converted(*source, plan);
    plan.seed = 3;
    const auto first = converted(*source, plan);
    EXPECT_NE(valuesOf(*other, expertTensor(1, 0, mlpPieces()[0])),
              valuesOf(*first, expertTensor(1, 0, mlpPieces()[0])));
}

TEST_F(Convert, TypesAreRoundedAndOverflowCounted) {
    const float huge = 1e30F;
    WriterOptions writing;
    writeCheckpoint(folder / "x.safetensors",
                    {{"t", {5}, {1.0F, 1.00390625F, huge, -huge, std::nanf("")}}}, writing);
    const auto source = Checkpoint::open(folder / "x.safetensors");
    ConvertOptions options;
    options.dtype = DType::F16;
    const ConvertResult result = convert(*source, {}, folder / "f16.safetensors", options);
    EXPECT_EQ(result.overflowed, 2U);
    const auto half = Checkpoint::open(folder / "f16.safetensors");
    EXPECT_EQ(half->tensors()[0].dtype, DType::F16);
    EXPECT_EQ(valuesOf(*half, "t")[1], 1.00390625F);
    EXPECT_TRUE(std::isinf(valuesOf(*half, "t")[2]));
    EXPECT_TRUE(std::isnan(valuesOf(*half, "t")[4]));
    options.dtype = DType::BF16;
    EXPECT_EQ(convert(*source, {}, folder / "bf16.safetensors", options).overflowed, 0U);
    EXPECT_EQ(valuesOf(*Checkpoint::open(folder / "bf16.safetensors"), "t")[1], 1.0F);
    options.dtype = DType::I32;
    refused(ErrorKind::Usage, *source, folder / "i32.safetensors", options);
}

TEST_F(Convert, DoublesBeyondFloatCountAsOverflow) {
    TensorInfo info;
    info.name = "t";
    info.dtype = DType::F64;
    info.shape = {3};
    const double values[] = {1e300, 2.5, -1e300};
    const auto writer = CheckpointWriter::create(folder / "x.safetensors", {info}, {});
    writer->write(0, std::as_bytes(std::span(values)));
    writer->commit();
    const auto source = Checkpoint::open(folder / "x.safetensors");
    ConvertOptions options;
    options.dtype = DType::F32;
    EXPECT_EQ(convert(*source, {}, folder / "f32.safetensors", options).overflowed, 2U);
    EXPECT_EQ(valuesOf(*Checkpoint::open(folder / "f32.safetensors"), "t")[1], 2.5F);
}

TEST_F(Convert, IntegersAreNeverConverted) {
    TensorInfo info;
    info.name = "ids";
    info.dtype = DType::I64;
    info.shape = {2};
    const std::int64_t values[] = {(std::int64_t{1} << 60) + 1, -1};
    const auto writer = CheckpointWriter::create(folder / "x.safetensors", {info}, {});
    writer->write(0, std::as_bytes(std::span(values)));
    writer->commit();
    ConvertOptions options;
    options.dtype = DType::BF16;
    convert(*Checkpoint::open(folder / "x.safetensors"), {}, folder / "y.safetensors", options);
    const auto copy = Checkpoint::open(folder / "y.safetensors");
    std::int64_t read[2];
    copy->read(*copy->find("ids"), 0, 2, std::as_writable_bytes(std::span(read)));
    EXPECT_EQ(read[0], values[0]);
}

TEST_F(Convert, ThereAndBackThroughEveryFormat) {
    const auto source = dense({.dtype = DType::BF16});
    SurgeryPlan plan;
    plan.layers["encoder.3"] = moeLayer(3);
    const auto sparse = converted(*source, plan);
    ConvertOptions hdf5;
    hdf5.format = FileFormat::Hdf5;
    const auto asHdf5 = converted(*sparse, {}, hdf5);
    ConvertOptions shards;
    shards.maxShardBytes = 2000;
    const auto asShards = converted(*asHdf5, {}, shards);
    EXPECT_GT(asShards->files().size(), 2U);
    convert(*asShards, {}, folder / "lone.safetensors");
    const auto lone = Checkpoint::open(folder / "lone.safetensors");
    convert(*lone, {}, folder / "lone.h5", hdf5);
    const auto back = converted(*Checkpoint::open(folder / "lone.h5"), {});
    for (const auto& step : {asHdf5, asShards, lone, back}) {
        EXPECT_EQ(step->configText(), sparse->configText());
        ASSERT_EQ(step->tensors().size(), sparse->tensors().size());
        EXPECT_EQ(readSpec(*step).blocks[3].moe, plan.layers["encoder.3"].moe);
    }
    for (const TensorInfo& tensor : sparse->tensors()) {
        const TensorInfo* kept = back->find(tensor.name);
        ASSERT_NE(kept, nullptr);
        EXPECT_EQ(kept->dtype, DType::BF16);
        EXPECT_EQ(back->readFloats(*kept), sparse->readFloats(tensor));
    }
    EXPECT_EQ(back->metadata(), sparse->metadata());
}

TEST_F(Convert, UnknownConfigKeysAndFilesAreKept) {
    const auto source = dense({.further = "\"my_own\": {\"a\": [1, 2.50]}, "});
    writeBytes(folder / "dense/tokenizer.json", "{ \"odd\" :1}\r\n");
    writeBytes(folder / "dense/README.md", "card");
    writeBytes(folder / "dense/training.json",
               R"({"schema": 1, "global_step": 7, "files": {"model.safetensors": {"bytes": 1}}})");
    writeBytes(folder / "dense/optimizer.safetensors", "not carried");
    writeBytes(folder / "dense/pytorch_model.bin", "not carried");
    writeBytes(folder / "dense/.hidden", "not carried");
    writeBytes(folder / "secret", "of somebody else");
    std::filesystem::create_symlink(folder / "secret", folder / "dense/notes.txt");
    SurgeryPlan plan;
    plan.layers["encoder.3"] = moeLayer(2);
    ConvertOptions options;
    options.extraFiles = {{"README.md", "new card"}};
    const ConvertResult result = convert(*source, plan, folder / "out", options);
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "out"))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"README.md", "config.json", "model.safetensors",
                                               std::string(kVitModelingName), "tokenizer.json",
                                               "training.json"}));
    const std::string training = readBytes(folder / "out/training.json");
    EXPECT_TRUE(contains(training, "\"global_step\": 7")) << training;
    EXPECT_FALSE(contains(training, "files")) << training;
    EXPECT_EQ(readBytes(folder / "out/tokenizer.json"), "{ \"odd\" :1}\r\n");
    EXPECT_EQ(readBytes(folder / "out/README.md"), "new card");
    ASSERT_EQ(result.leftOut.size(), 1U);
    EXPECT_TRUE(contains(result.leftOut[0], "notes.txt"));
    const std::string config = readBytes(folder / "out/config.json");
    EXPECT_TRUE(contains(config, "my_own")) << config;
    EXPECT_TRUE(contains(config, "upcycling")) << config;
}

TEST_F(Convert, TheConfigSaysTheType) {
    const auto source = dense();
    ConvertOptions options;
    options.dtype = DType::BF16;
    const auto half = converted(*source, {}, options);
    EXPECT_TRUE(contains(half->configText(), "\"torch_dtype\": \"bfloat16\""))
        << half->configText();
    EXPECT_FALSE(contains(half->configText(), "\"dtype\""));
}

TEST_F(Convert, TheSourceIsNeverInDanger) {
    const auto source = dense();
    ConvertOptions force;
    force.force = true;
    const std::string before = readBytes(folder / "dense/model.safetensors");
    for (const Path& target :
         {folder / "dense", folder / "dense/", folder / "dense/model.safetensors",
          folder / "dense/out", folder / "dense/out.safetensors", folder.path(),
          folder / "dense/../dense"})
        refused(ErrorKind::BadInput, *source, target, force);
    std::filesystem::create_directory_symlink(folder / "dense", folder / "link");
    refused(ErrorKind::BadInput, *source, folder / "link", force);
    refused(ErrorKind::BadInput, *source, folder / "link/x.safetensors", force);
    EXPECT_EQ(readBytes(folder / "dense/model.safetensors"), before);
}

TEST_F(Convert, ALoneFileMayHaveItsOutputBesideIt) {
    writeCheckpoint(folder / "x.safetensors", {{"t", {1}, {1}}});
    writeBytes(folder / "holiday.txt", "not a part of the model");
    const auto source = Checkpoint::open(folder / "x.safetensors");
    convert(*source, {}, folder / "out");
    EXPECT_FALSE(std::filesystem::exists(folder / "out/holiday.txt"));
    ConvertOptions force;
    force.force = true;
    refused(ErrorKind::BadInput, *source, folder / "x.safetensors", force);
}

TEST_F(Convert, ExistingTargetsNeedForce) {
    const auto source = dense();
    converted(*source, {});
    refused(ErrorKind::BadInput, *source, folder / "out0");
    ConvertOptions force;
    force.force = true;
    SurgeryPlan plan;
    plan.layers["encoder.3"] = moeLayer(2);
    convert(*source, plan, folder / "out0", force);
    EXPECT_NE(Checkpoint::open(folder / "out0")->find(expertTensor(3, 1, mlpPieces()[0])), nullptr);
}

TEST_F(Convert, CancelLeavesNothing) {
    const auto source = dense();
    std::atomic<bool> cancel{false};
    std::uint64_t seen = 0;
    const auto progress = [&](const ConvertProgress& now) {
        EXPECT_LE(now.bytesDone, now.bytesTotal);
        EXPECT_FALSE(now.tensor.empty());
        if (++seen == 5) cancel = true;
    };
    const std::string text = errorOf(ErrorKind::Stopped, [&] {
        convertCheckpoint(*source, {}, folder / "out", {}, progress, cancel);
    });
    EXPECT_EQ(seen, 5U);
    EXPECT_EQ(folder.entries(), 1U) << text;
}

TEST_F(Convert, ProgressEndsAtItsTotal) {
    const auto source = dense();
    ConvertProgress last;
    const std::atomic<bool> cancel{false};
    const ConvertResult result = convertCheckpoint(
        *source, {}, folder / "out", {}, [&](const ConvertProgress& now) { last = now; }, cancel);
    EXPECT_EQ(last.bytesDone, last.bytesTotal);
    EXPECT_EQ(result.bytes, last.bytesTotal);
}

TEST_F(Convert, NaNWeightsAreCarriedAndDoNotSpread) {
    const auto source = dense();
    {
        const TensorInfo& info = *source->find(denseTensor(2, mlpPieces()[0]));
        const float nan = std::nanf("");
        File::openForUpdating(folder / "dense/model.safetensors")
            .writeAt(info.offset, std::as_bytes(std::span(&nan, 1)));
    }
    SurgeryPlan plan;
    plan.layers["encoder.2"] = moeLayer(2, {ExpertInit::Kind::Noise, 0.1});
    const auto sparse = converted(*Checkpoint::open(folder / "dense"), plan);
    const std::vector<float> values = valuesOf(*sparse, expertTensor(2, 0, mlpPieces()[0]));
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_EQ(std::count_if(values.begin(), values.end(), [](float v) { return std::isnan(v); }),
              1);
}

}  // namespace
}  // namespace core::test
