// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/zip_archive.h"
#include "core/checkpoint/zip_writer.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/every_type.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <thread>

namespace core::test {
namespace {

WriterOptions npzOptions() {
    WriterOptions options;
    options.format = FileFormat::Npz;
    return options;
}

std::uint32_t checksum(std::string_view bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::vector<TensorInfo> allTypes() { return oneOfEach(kNumpyTypes, "layer/0/"); }

TEST(NpzWriter, EveryTypeReadsBackBitForBit) {
    const TemporaryFolder folder;
    writePatterns(folder / "x.npz", allTypes(), npzOptions());
    const auto checkpoint = openNpz(folder / "x.npz", {});
    expectPatterns(*checkpoint, allTypes());
    for (const TensorInfo& info : checkpoint->tensors()) EXPECT_EQ(info.offset % 64, 0U);
}

TEST(NpzWriter, ChecksumsAreThoseOfTheMembers) {
    const TemporaryFolder folder;
    writePatterns(folder / "x.npz", allTypes(), npzOptions());
    const File file = File::openForReading(folder / "x.npz");
    const std::string all = readBytes(folder / "x.npz");
    for (const ZipMember& member : readZipDirectory(file)) {
        EXPECT_EQ(checksum(std::string_view(all).substr(member.offset, member.bytes)), member.crc)
            << member.name;
        std::uint32_t local = 0;
        std::memcpy(&local, all.data() + all.rfind("PK\x03\x04", member.offset) + 14, 4);
        EXPECT_EQ(local, member.crc) << member.name;
    }
}

TEST(NpzWriter, TheSameBytesTwice) {
    const TemporaryFolder folder;
    writePatterns(folder / "a.npz", allTypes(), npzOptions());
    std::this_thread::sleep_for(
        std::chrono::milliseconds(2100));  // a zip archive counts two by two
    writePatterns(folder / "b.npz", allTypes(), npzOptions());
    EXPECT_EQ(readBytes(folder / "a.npz"), readBytes(folder / "b.npz"));
}

TEST(NpzWriter, FolderHoldsModelAndConfig) {
    const TemporaryFolder folder;
    WriterOptions options = npzOptions();
    options.configText = "{\"a\": 1}";
    writeCheckpoint(folder / "model", {{"w", {2}, {1, 2}}, {"none", {0, 3}, {}}, {"s", {}, {7}}},
                    options);
    EXPECT_EQ(readBytes(folder / "model/config.json"), options.configText);
    EXPECT_TRUE(readZipArchive(File::openForReading(folder / "model/model.npz")).comment.empty());
    const auto checkpoint = Checkpoint::open(folder / "model");
    EXPECT_EQ(checkpoint->configText(), options.configText);
    EXPECT_EQ(checkpoint->files(), std::vector<std::string>{"model.npz"});
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("w")), (std::vector<float>{1, 2}));
    EXPECT_TRUE(checkpoint->readFloats(*checkpoint->find("none")).empty());
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("s")), std::vector<float>{7});
    options.force = true;
    writeCheckpoint(folder / "model", {{"w", {1}, {3}}}, options);
    EXPECT_EQ(Checkpoint::open(folder / "model")->tensors().size(), 1U);
}

TEST(NpzWriter, ConfigStandsInTheCommentOfALoneFile) {
    const TemporaryFolder folder;
    WriterOptions options = npzOptions();
    options.configText = "{\n  \"a b\": \"c \\\" d\\\\\"\n}\n";
    writeCheckpoint(folder / "x.npz", {{"w", {2}, {1, 2}}}, options);
    writeBytes(folder / "config.json", "{\"of\": \"another\"}");
    EXPECT_EQ(Checkpoint::open(folder / "x.npz")->configText(), options.configText);
    EXPECT_EQ(readZipDirectory(File::openForReading(folder / "x.npz")).size(), 1U);
}

TEST(NpzWriter, AConfigThatIsTooLongLosesItsSpaceOrIsRefused) {
    const TemporaryFolder folder;
    WriterOptions options = npzOptions();
    options.configText = "{\"a b\": " + std::string(70'000, ' ') + "\"c \\\" d\\\\\" }";
    writeCheckpoint(folder / "x.npz", {{"w", {2}, {1, 2}}}, options);
    EXPECT_EQ(Checkpoint::open(folder / "x.npz")->configText(), "{\"a b\":\"c \\\" d\\\\\"}");
    options.configText = "{\"a\": \"" + std::string(70'000, 'x') + "\"}";
    const std::string text = errorOf(ErrorKind::BadInput, [&] {
        writeCheckpoint(folder / "y.npz", {{"w", {2}, {1, 2}}}, options);
    });
    EXPECT_NE(text.find("config.json"), std::string::npos) << text;
    EXPECT_EQ(folder.entries(), 1U);
    writeCheckpoint(folder / "folder", {{"w", {2}, {1, 2}}}, options);
    EXPECT_EQ(Checkpoint::open(folder / "folder")->configText(), options.configText);
}

TEST(NpzWriter, WhatNumpyDoesNotHaveIsRefused) {
    const TemporaryFolder folder;
    const auto refusal = [&](const TensorInfo& info) {
        return errorOf(ErrorKind::BadInput,
                       [&] { CheckpointWriter::create(folder / "x.npz", {info}, npzOptions()); });
    };
    TensorInfo info;
    info.name = "w";
    info.dtype = DType::F8E4M3;
    info.shape = {1};
    EXPECT_NE(refusal(info).find("'w' is F8_E4M3"), std::string::npos);
    info.dtype = DType::F32;
    info.shape = Shape(std::vector<std::int64_t>(65, 1));
    EXPECT_NE(refusal(info).find("65 axes"), std::string::npos);
    info.shape = {1};
    for (const std::string& name : {std::string(), std::string("a\0b", 3)}) {
        info.name = name;
        EXPECT_NE(refusal(info).find("a name"), std::string::npos);
    }
    EXPECT_EQ(folder.entries(), 0U);
}

TEST(NpzWriter, FormatAndNameMustAgree) {
    const TemporaryFolder folder;
    errorOf(ErrorKind::Usage, [&] { writeCheckpoint(folder / "x.npz", {}, {}); });
    errorOf(ErrorKind::Usage, [&] { writeCheckpoint(folder / "x.h5", {}, npzOptions()); });
    WriterOptions shards = npzOptions();
    shards.maxShardBytes = 10;
    errorOf(ErrorKind::Usage, [&] { writeCheckpoint(folder / "x", {}, shards); });
    EXPECT_EQ(folder.entries(), 0U);
}

TEST(NpzWriter, MoreMembersThanSixteenBitsCount) {
    const TemporaryFolder folder;
    std::vector<NamedFloats> tensors;
    for (int i = 0; i < 65'540; ++i)
        tensors.push_back({std::to_string(i), {1}, {static_cast<float>(i)}});
    writeCheckpoint(folder / "x.npz", tensors, npzOptions());
    const auto checkpoint = Checkpoint::open(folder / "x.npz");
    ASSERT_EQ(checkpoint->tensors().size(), tensors.size());
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("65539")), std::vector<float>{65539});
}

TEST(ZipLayout, Zip64FieldsReadBack) {
    const TemporaryFolder folder;
    const std::vector<std::string> contents{std::string(10, 'a'), std::string(5000, 'b'), "",
                                            std::string(900, 'c'), std::string(2000, 'd')};
    for (const std::uint64_t wide : {std::uint64_t{1000}, std::uint64_t{4000}, std::uint64_t{1}}) {
        ZipLayout layout(wide);
        std::vector<std::uint32_t> crcs;
        for (std::size_t i = 0; i < contents.size(); ++i) {
            EXPECT_EQ(layout.add("näme" + std::to_string(i), contents[i].size()) % 64, 0U);
            crcs.push_back(checksum(contents[i]));
        }
        std::string bytes;
        for (std::size_t i = 0; i < contents.size(); ++i) {
            ASSERT_EQ(layout.headOffset(i), bytes.size());
            bytes += layout.head(i, crcs[i]) + contents[i];
        }
        ASSERT_EQ(layout.tailOffset(), bytes.size());
        bytes += layout.tail(crcs, "comment");
        writeBytes(folder / "x.zip", bytes);
        const File file = File::openForReading(folder / "x.zip");
        const ZipArchive archive = readZipArchive(file);
        EXPECT_EQ(archive.comment, "comment");
        ASSERT_EQ(archive.members.size(), contents.size());
        for (std::size_t i = 0; i < contents.size(); ++i) {
            const ZipMember& member = archive.members[i];
            EXPECT_EQ(member.name, "näme" + std::to_string(i));
            EXPECT_EQ(member.crc, crcs[i]);
            EXPECT_EQ(bytes.substr(member.offset, member.bytes), contents[i]);
        }
    }
}

}  // namespace
}  // namespace core::test
