// SPDX-License-Identifier: Apache-2.0
#include "core/run/checkpoint_folder.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

class CheckpointDamageTest : public testing::Test {
  protected:
    CheckpointDamageTest() {
        writeTextFile(folder_ / "model.safetensors", std::string(10000, 'w'));
        writeTextFile(folder_ / "config.json", "{}");
        TrainingState state;
        state.files = sumFiles(folder_);
        writeTextFile(folder_ / "training.json", toJson(state));
    }
    std::string damage() const { return findDamage(folder_).value_or("none"); }

    ScratchFolder scratch_;
    const Path& folder_ = scratch_.path();
};

TEST_F(CheckpointDamageTest, AWholeOneHasNone) { EXPECT_EQ(damage(), "none"); }

TEST_F(CheckpointDamageTest, ACutFileIsNoticed) {
    std::filesystem::resize_file(folder_ / "model.safetensors", 5000);
    EXPECT_EQ(damage(), "model.safetensors has 5000 bytes, expected 10000");
}

TEST_F(CheckpointDamageTest, OneFlippedByteIsNoticed) {
    std::string text(10000, 'w');
    text[7777] = 'x';
    writeTextFile(folder_ / "model.safetensors", text);
    EXPECT_EQ(damage(), "the checksum of model.safetensors is wrong");
}

TEST_F(CheckpointDamageTest, AMissingFileIsNoticed) {
    std::filesystem::remove(folder_ / "config.json");
    EXPECT_EQ(damage(), "config.json is missing");
}

TEST_F(CheckpointDamageTest, ABrokenTrainingJsonIsNoticed) {
    writeTextFile(folder_ / "training.json", "{\"schema\":1,");
    EXPECT_NE(damage(), "none");
    std::filesystem::remove(folder_ / "training.json");
    EXPECT_EQ(damage(), "training.json is missing");
}

TEST_F(CheckpointDamageTest, FoldersOfOthersWithoutSumsPass) {
    writeTextFile(folder_ / "training.json", R"({"schema":1,"step":3})");
    EXPECT_EQ(damage(), "none");
}

}  // namespace
}  // namespace core
