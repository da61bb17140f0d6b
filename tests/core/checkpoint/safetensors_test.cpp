// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

const std::vector<NamedFloats> kTensors{{"b.weight", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                        {"a.bias", {3}, {-1, 0, 0.5F}},
                                        {"scalar", {}, {42}},
                                        {"empty", {0, 4}, {}}};

void expectTensors(const Checkpoint& checkpoint) {
    ASSERT_EQ(checkpoint.tensors().size(), kTensors.size());
    for (const NamedFloats& expected : kTensors) {
        const TensorInfo* info = checkpoint.find(expected.name);
        ASSERT_NE(info, nullptr) << expected.name;
        EXPECT_EQ(info->shape, expected.shape);
        EXPECT_EQ(info->bytes, expected.values.size() * sizeof(float));
        EXPECT_EQ(checkpoint.readFloats(*info), expected.values);
    }
    EXPECT_EQ(checkpoint.find("absent"), nullptr);
}

TEST(Safetensors, SingleFileReadsBack) {
    const TemporaryFolder folder;
    WriterOptions options;
    options.metadata = {{"made by", "a \"test\"\n"}};
    writeCheckpoint(folder / "x.safetensors", kTensors, options);
    const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
    EXPECT_EQ(checkpoint->format(), "safetensors");
    EXPECT_EQ(checkpoint->files(), std::vector<std::string>{"x.safetensors"});
    EXPECT_EQ(checkpoint->metadata().at("format"), "pt");
    EXPECT_EQ(checkpoint->metadata().at("made by"), "a \"test\"\n");
    EXPECT_EQ(checkpoint->tensors()[0].name, "b.weight");
    EXPECT_EQ(checkpoint->tensors()[0].offset % 8, 0U);
    expectTensors(*checkpoint);
    EXPECT_EQ(folder.entries(), 1U);
}

TEST(Safetensors, FolderHoldsConfigAndFurtherFiles) {
    const TemporaryFolder folder;
    WriterOptions options;
    options.configText = "{\"hidden_size\": 3}";
    TensorInfo info;
    info.name = "t";
    info.shape = {2};
    const auto writer = CheckpointWriter::create(folder / "model/", {info}, options);
    const float values[] = {1.5F, 2.5F};
    writer->write(0, std::as_bytes(std::span(values)).first(3));
    writer->write(0, std::as_bytes(std::span(values)).subspan(3));
    writer->addFile("tokenizer.json", "{}");
    EXPECT_FALSE(std::filesystem::exists(folder / "model"));
    writer->commit();
    const auto checkpoint = Checkpoint::open(folder / "model");
    EXPECT_EQ(checkpoint->configText(), options.configText);
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("t")), (std::vector<float>{1.5F, 2.5F}));
    EXPECT_EQ(readBytes(folder / "model/tokenizer.json"), "{}");
    EXPECT_EQ(Checkpoint::open(folder / "model/model.safetensors")->configText(),
              options.configText);
}

TEST(Safetensors, ShardsReadBackThroughFolderAndIndex) {
    const TemporaryFolder folder;
    WriterOptions options;
    options.maxShardBytes = 24;
    writeCheckpoint(folder / "sharded", kTensors, options);
    for (const char* name : {"sharded", "sharded/model.safetensors.index.json"}) {
        const auto checkpoint = Checkpoint::open(folder / name);
        EXPECT_EQ(checkpoint->files(),
                  (std::vector<std::string>{"model-00001-of-00002.safetensors",
                                            "model-00002-of-00002.safetensors"}));
        expectTensors(*checkpoint);
    }
    const std::string index = readBytes(folder / "sharded/model.safetensors.index.json");
    EXPECT_NE(index.find("\"total_size\": 40"), std::string::npos) << index;
}

TEST(Safetensors, NothingRemainsWithoutCommit) {
    const TemporaryFolder folder;
    TensorInfo info;
    info.name = "t";
    info.shape = {4};
    CheckpointWriter::create(folder / "model", {info}, {});
    CheckpointWriter::create(folder / "x.safetensors", {info}, {});
    EXPECT_EQ(folder.entries(), 0U);
    const auto writer = CheckpointWriter::create(folder / "model", {info}, {});
    EXPECT_THROW(writer->commit(), Error);
}

TEST(Safetensors, ExistingTargetNeedsForce) {
    const TemporaryFolder folder;
    writeCheckpoint(folder / "model", kTensors);
    errorOf(ErrorKind::BadInput, [&] { writeCheckpoint(folder / "model", {}); });
    expectTensors(*Checkpoint::open(folder / "model"));
    WriterOptions force;
    force.force = true;
    writeCheckpoint(folder / "model", {{"only", {1}, {1}}}, force);
    EXPECT_EQ(Checkpoint::open(folder / "model")->tensors().size(), 1U);
    EXPECT_EQ(folder.entries(), 1U);
}

TEST(Safetensors, ForceReplacesNothingButCheckpoints) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "photos");
    writeBytes(folder / "photos/cat.jpg", "cat");
    WriterOptions force;
    force.force = true;
    errorOf(ErrorKind::BadInput, [&] { writeCheckpoint(folder / "photos", kTensors, force); });
    writeBytes(folder / "file", "text");
    errorOf(ErrorKind::BadInput, [&] { writeCheckpoint(folder / "file", kTensors, force); });
    EXPECT_EQ(readBytes(folder / "photos/cat.jpg"), "cat");
    EXPECT_EQ(readBytes(folder / "file"), "text");
}

}  // namespace
}  // namespace core::test
