// SPDX-License-Identifier: Apache-2.0
#include "core/run/run_directory.h"

#include "core/base/error.h"
#include "core/run/control.h"
#include "core/run/session.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

namespace fs = std::filesystem;

class RunDirectoryTest : public testing::Test {
  protected:
    static JobSpec job() {
        JobSpec made;
        made.model = "scratch:/config.json";
        made.data = "fashion-mnist";
        made.trainer.steps = 10;
        return made;
    }
    RunDirectory makeRun() const { return RunDirectory::create(path_, job()); }
    static void makeCheckpoint(const Path& folder) {
        fs::create_directories(folder);
        writeTextFile(folder / "model.safetensors", "weights");
        writeTextFile(folder / "training.json", R"({"schema":1})");
    }
    std::size_t entriesBeside() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(scratch_.path()), fs::directory_iterator()));
    }
    ScratchFolder scratch_;
    Path path_ = scratch_.path() / "run";
};

TEST_F(RunDirectoryTest, CreateWritesJobAndOpensAgain) {
    const RunDirectory run = makeRun();
    EXPECT_TRUE(RunDirectory::isRun(path_));
    EXPECT_EQ(RunDirectory::open(path_).job().trainer.steps, 10);
    EXPECT_EQ(run.checkpointFolder(500), path_ / "checkpoints" / "step-00000500");
    EXPECT_EQ(entriesBeside(), 1U);
}

TEST_F(RunDirectoryTest, AnEmptyFolderMayBecomeARun) {
    fs::create_directory(path_);
    makeRun();
    EXPECT_TRUE(RunDirectory::isRun(path_));
}

TEST_F(RunDirectoryTest, CreateRefusesWhatExistsAndLeavesItAlone) {
    fs::create_directory(path_);
    writeTextFile(path_ / "precious", "x");
    EXPECT_THROW(makeRun(), Error);
    EXPECT_EQ(readTextFile(path_ / "precious"), "x");
    EXPECT_FALSE(fs::exists(path_ / "job.json"));
    EXPECT_EQ(entriesBeside(), 1U);
}

TEST_F(RunDirectoryTest, OpenRefusesWhatIsNoRunOrNewer) {
    EXPECT_THROW(RunDirectory::open(path_), Error);
    fs::create_directory(path_);
    EXPECT_THROW(RunDirectory::open(path_), Error);
    writeTextFile(path_ / "job.json", R"({"schema":2})");
    try {
        RunDirectory::open(path_);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("newer"), std::string::npos);
    }
}

TEST_F(RunDirectoryTest, OnlyWholeCheckpointsCount) {
    const RunDirectory run = makeRun();
    makeCheckpoint(run.checkpointFolder(20));
    makeCheckpoint(run.checkpointFolder(3));
    makeCheckpoint(run.checkpointsFolder() / ".step-00000030.tmp-1-0");
    makeCheckpoint(run.checkpointsFolder() / "step-00000040.tmp");
    makeCheckpoint(run.checkpointsFolder() / "step-7");
    fs::create_directories(run.checkpointFolder(50));
    fs::create_directories(run.checkpointFolder(60));
    writeTextFile(run.checkpointFolder(60) / "model.safetensors", "weights alone");
    EXPECT_EQ(run.checkpoints(), (std::vector<std::int64_t>{3, 20}));
}

TEST_F(RunDirectoryTest, LeftoversAreRemovedAndWholeOnesStay) {
    const RunDirectory run = makeRun();
    makeCheckpoint(run.checkpointFolder(3));
    makeCheckpoint(run.checkpointsFolder() / ".step-00000030.tmp-1-0");
    removeLeftovers(run);
    EXPECT_EQ(
        std::distance(fs::directory_iterator(run.checkpointsFolder()), fs::directory_iterator()),
        1);
    EXPECT_EQ(run.checkpoints(), std::vector<std::int64_t>{3});
}

TEST_F(RunDirectoryTest, RetentionKeepsTheNewest) {
    const RunDirectory run = makeRun();
    for (const std::int64_t step : {0, 5, 10, 15}) makeCheckpoint(run.checkpointFolder(step));
    pruneCheckpoints(run, 0);
    EXPECT_EQ(run.checkpoints().size(), 4U);
    pruneCheckpoints(run, 2);
    EXPECT_EQ(run.checkpoints(), (std::vector<std::int64_t>{10, 15}));
    pruneCheckpoints(run, 5);
    EXPECT_EQ(run.checkpoints().size(), 2U);
}

TEST_F(RunDirectoryTest, ModelsResolveToCheckpoints) {
    const RunDirectory run = makeRun();
    EXPECT_THROW(resolveModel(path_.string()), Error);
    makeCheckpoint(run.checkpointFolder(0));
    makeCheckpoint(run.checkpointFolder(500));
    EXPECT_EQ(resolveModel(path_.string()), run.checkpointFolder(500));
    EXPECT_EQ(resolveModel(path_.string() + "@0"), run.checkpointFolder(0));
    EXPECT_EQ(resolveModel(path_.string() + "@step-00000500"), run.checkpointFolder(500));
    EXPECT_THROW(resolveModel(path_.string() + "@7"), Error);
    EXPECT_THROW(resolveModel(path_.string() + "@five"), Error);
    EXPECT_EQ(resolveModel("/no/such/model"), Path("/no/such/model"));
    EXPECT_EQ(resolveModel(scratch_.path().string()), scratch_.path());
    const Path odd = scratch_.path() / "vit@home";
    fs::create_directory(odd);
    EXPECT_EQ(resolveModel(odd.string()), odd);
}

TEST_F(RunDirectoryTest, OrdersAreAppended) {
    const RunDirectory run = makeRun();
    run.order("pause");
    run.order("set", "lr=0.25");
    EXPECT_THROW(run.order("fly"), Error);
    OrderReader reader(run.controlFile(), 0);
    EXPECT_EQ(reader.next()->command, "pause");
    EXPECT_EQ(reader.next()->argument, "lr=0.25");
    EXPECT_FALSE(reader.next().has_value());
}

}  // namespace
}  // namespace core
