// SPDX-License-Identifier: Apache-2.0
// What Checkpoint::open makes of paths: folders, indexes, links, things that are no checkpoint.
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace core::test {
namespace {

const std::vector<NamedFloats> kTwo{{"a", {2}, {1, 2}}, {"b", {2}, {3, 4}}};

std::string refusal(const Path& path) {
    const std::string text = errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); });
    EXPECT_NE(text.find(path.filename().string()), std::string::npos) << text;
    return text;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Open, WhatIsNoCheckpoint) {
    const TemporaryFolder folder;
    EXPECT_TRUE(contains(refusal(folder / "absent"), "does not exist"));
    std::filesystem::create_directory(folder / "empty");
    EXPECT_TRUE(contains(refusal(folder / "empty"), "holds no checkpoint"));
    writeBytes(folder / "notes.txt", "these are notes");
    EXPECT_TRUE(contains(refusal(folder / "notes.txt"), "known format"));
    writeBytes(folder / "x.h5", "these are notes");
    EXPECT_TRUE(contains(refusal(folder / "x.h5"), "HDF5"));
    ASSERT_EQ(::mkfifo((folder / "pipe.safetensors").c_str(), 0600), 0);
    EXPECT_TRUE(contains(refusal(folder / "pipe.safetensors"), "neither a file nor a folder"));
    std::filesystem::create_directories(folder / "nested/model.safetensors");
    errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(folder / "nested"); });
}

TEST(Open, OneOddlyNamedFileInAFolder) {
    const TemporaryFolder folder;
    writeCheckpoint(folder / "weights.safetensors", kTwo);
    writeBytes(folder / "optimizer.safetensors", "");
    EXPECT_EQ(Checkpoint::open(folder.path())->tensors().size(), 2U);
    writeCheckpoint(folder / "more.safetensors", kTwo);
    EXPECT_TRUE(contains(refusal(folder.path()), "more.safetensors"));
}

TEST(Open, TheUsualNameWins) {
    const TemporaryFolder folder;
    writeCheckpoint(folder / "model.safetensors", {{"usual", {1}, {1}}});
    writeCheckpoint(folder / "other.safetensors", kTwo);
    EXPECT_NE(Checkpoint::open(folder.path())->find("usual"), nullptr);
}

TEST(Open, ConfigStandsInALoneFile) {
    const TemporaryFolder folder;
    WriterOptions options;
    options.configText = "{\"own\": true}";
    writeCheckpoint(folder / "x.safetensors", kTwo, options);
    writeBytes(folder / "config.json", "{\"of\": \"another\"}");
    const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
    EXPECT_EQ(checkpoint->configText(), options.configText);
    EXPECT_EQ(checkpoint->metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST(Open, NoPermission) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
    const TemporaryFolder folder;
    writeCheckpoint(folder / "x.safetensors", kTwo);
    std::filesystem::permissions(folder / "x.safetensors", std::filesystem::perms::none);
    EXPECT_TRUE(contains(refusal(folder / "x.safetensors"), "Permission denied"));
}

class Shards : public testing::Test {
  protected:
    Shards() {
        writeCheckpoint(folder / "one.safetensors", {kTwo[0]});
        writeCheckpoint(folder / "two.safetensors", {kTwo[1]});
    }
    std::string refused(const std::string& index) {
        writeBytes(path, index);
        return refusal(path);
    }
    TemporaryFolder folder;
    Path path = folder / "model.safetensors.index.json";
};

TEST_F(Shards, AreReadTogether) {
    writeBytes(path, R"({"metadata":{"total_size":16,"more":[{}]},
        "weight_map":{"b":"two.safetensors","a":"one.safetensors"}})");
    const auto checkpoint = Checkpoint::open(path);
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("b")), (std::vector<float>{3, 4}));
    EXPECT_EQ(checkpoint->find("a")->file, "one.safetensors");
    EXPECT_EQ(Checkpoint::open(folder.path())->tensors().size(), 2U);
}

TEST_F(Shards, NamesThatLeadElsewhereAreRefused) {
    for (const char* name :
         {"../one.safetensors", "/etc/passwd", "/tmp/x.safetensors", "sub/one.safetensors", "..",
          "", ".hidden.safetensors", "a\\\\one.safetensors", "config.json"}) {
        const std::string text = refused(std::string(R"({"weight_map":{"a":")") + name + "\"}}");
        EXPECT_TRUE(contains(text, "plain name")) << text;
    }
}

TEST_F(Shards, LinksOutOfTheFolderAreRefused) {
    const TemporaryFolder elsewhere;
    writeCheckpoint(elsewhere / "x.safetensors", {kTwo[0]});
    std::filesystem::create_symlink(elsewhere / "x.safetensors", folder / "link.safetensors");
    writeBytes(path, R"({"weight_map":{"a":"link.safetensors"}})");
    EXPECT_TRUE(contains(errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); }),
                         "link.safetensors is a link"));
}

TEST_F(Shards, LinksIntoAHuggingFaceCacheAreFollowed) {
    const TemporaryFolder cache;
    std::filesystem::create_directories(cache / "blobs");
    std::filesystem::create_directories(cache / "snapshots/123");
    writeCheckpoint(cache / "blobs/abc.safetensors", {kTwo[0]});
    std::filesystem::create_symlink("../../blobs/abc.safetensors",
                                    cache / "snapshots/123/one.safetensors");
    writeBytes(cache / "snapshots/123/model.safetensors.index.json",
               R"({"weight_map":{"a":"one.safetensors"}})");
    EXPECT_EQ(Checkpoint::open(cache / "snapshots/123")->tensors().size(), 1U);
}

TEST_F(Shards, MissingShardIsNamed) {
    const std::string text =
        refused(R"({"weight_map":{"a":"one.safetensors","b":"three.safetensors"}})");
    EXPECT_TRUE(contains(text, "three.safetensors")) << text;
}

TEST_F(Shards, IndexAndShardsMustAgree) {
    EXPECT_TRUE(contains(refused(R"({"weight_map":{"a":"one.safetensors","c":"one.safetensors"}})"),
                         "'c'"));
    EXPECT_TRUE(contains(refused(R"({"weight_map":{"a":"one.safetensors","b":"one.safetensors",
                                 "x":"two.safetensors"}})"),
                         "'b'"));
    EXPECT_TRUE(contains(refused(R"({"weight_map":{"x":"one.safetensors"}})"), "'a'"));
}

TEST_F(Shards, BrokenIndexes) {
    for (const char* text :
         {"", "[]", "{}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}",
          "{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"two.safetensors\"}}",
          "{\"weight_map\":{},\"weight_map\":{}}", "{\"weight_map\":{}} x"})
        refused(text);
}

}  // namespace
}  // namespace core::test
