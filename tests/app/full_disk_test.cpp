// SPDX-License-Identifier: Apache-2.0
// A disk that fills (a file size limit stands in for it) during convert, forward, checkpoint,
// events.
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

namespace upcycle_test {
namespace {

class FullDiskTest : public AppTest {
  protected:
    static Setting limited(std::uint64_t bytes) { return {.largestFile = bytes}; }
    static bool hasLeftovers(const core::Path& folder) {
        for (const auto& [name, content] : treeOf(folder))
            if (name.find(".tmp") != std::string::npos) return true;
        return false;
    }
    const std::string dense_ = Workshop::get().dense().string();
};

TEST_F(FullDiskTest, ConvertLeavesNothing) {
    const auto before = treeOf(folder());
    for (const char* out : {"out", "out.h5", "out.safetensors"}) {
        SCOPED_TRACE(out);
        expectRefused(upcycle({"convert", dense_, "-o", path(out)}, limited(20000)), 5, {out});
        EXPECT_EQ(treeOf(folder()), before);
    }
}

TEST_F(FullDiskTest, NewLeavesNothing) {
    const auto before = treeOf(folder());
    const Result result =
        upcycle({"new", path("run"), "--model", dense_, "--data", kData}, limited(100));
    expectRefused(result, 5, {"job.json"});
    EXPECT_EQ(treeOf(folder()), before);
}

TEST_F(FullDiskTest, ACheckpointThatDoesNotFitEndsTrainingWithFive) {
    const std::string run = newRun("run", dense_, 12, {"--checkpoint-every", "4"});
    // The weights fit, the optimizer's state does not: half a checkpoint would be there.
    const Result whole = upcycle({"train", run}, limited(90000));
    EXPECT_EQ(whole.exit, 5) << whole.err;
    EXPECT_EQ(core::RunDirectory::open(run).checkpoints(), std::vector<std::int64_t>{});
    EXPECT_FALSE(hasLeftovers(run));
    const auto events = eventsOf(run);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(std::get<core::ErrorEvent>(events.back().what).kind, "disk-full");
    expectDone({"train", run});
}

TEST_F(FullDiskTest, EarlierCheckpointsStayWhole) {
    const std::string run = newRun("run", dense_, 8, {"--checkpoint-every", "4"});
    expectDone({"train", run});
    const std::string longer = newRun("longer", run, 200000, {"--checkpoint-every", "1000000"});
    // events.jsonl grows past the limit long before the run ends.
    const std::uint64_t room = 400000;
    const Result result = upcycle({"train", longer}, limited(room));
    EXPECT_EQ(result.exit, 5) << result.err;
    EXPECT_NE(result.err.find("events.jsonl"), std::string::npos) << result.err;
    const core::RunDirectory directory = core::RunDirectory::open(longer);
    EXPECT_EQ(directory.checkpoints(), std::vector<std::int64_t>{0});
    EXPECT_LE(std::filesystem::file_size(directory.eventsFile()), room);
    EXPECT_FALSE(hasLeftovers(longer));
    expectDone({"inspect", longer + "@0"});
    EXPECT_NE(directory.status().phase, core::RunPhase::Finished);
}

}  // namespace
}  // namespace upcycle_test
