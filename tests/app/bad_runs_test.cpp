// SPDX-License-Identifier: Apache-2.0
// Run folders that are wrong, and jobs that cannot work.
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

namespace upcycle_test {
namespace {

namespace fs = std::filesystem;

class BadRunsTest : public AppTest {
  protected:
    const std::string dense_ = Workshop::get().dense().string();

    void expectNewRefused(const std::vector<std::string>& more, int exit,
                          const std::vector<std::string>& words) const {
        SCOPED_TRACE(more.empty() ? "" : more.front());
        const auto before = treeOf(folder());
        std::vector<std::string> all{"new", path("run"), "--model", dense_, "--data", kData};
        all.insert(all.end(), more.begin(), more.end());
        expectRefused(upcycle(all), exit, words);
        EXPECT_EQ(treeOf(folder()), before);
    }
};

TEST_F(BadRunsTest, WhatIsNoRun) {
    for (const char* command : {"train", "status", "watch", "pause", "stop"}) {
        expectRefused(upcycle({command, path("nowhere")}), 3, {"nowhere"});
        expectRefused(upcycle({command, folder().string()}), 3, {"not a run"});
    }
    EXPECT_FALSE(fs::exists(path("nowhere")));
}

TEST_F(BadRunsTest, ARunFromANewerVersion) {
    const std::string run = newRun("run", dense_, 4);
    const std::string good = core::readTextFile(run + "/job.json");
    Json job = Json::parse(good);
    job["schema"] = 7;
    core::writeTextFile(run + "/job.json", job.dump());
    for (const char* command : {"train", "status", "watch"})
        expectRefused(upcycle({command, run}), 3, {"job.json", "7", "newer"});
    core::writeTextFile(run + "/job.json", good);
    core::writeTextFile(run + "/events.jsonl", "{\"event\":\"hello\",\"time\":1,\"schema\":12}\n");
    for (const char* command : {"train", "status", "watch"})
        expectRefused(upcycle({command, run}), 3, {"events.jsonl", "12", "newer"});
}

TEST_F(BadRunsTest, ABrokenJob) {
    const std::string run = newRun("run", dense_, 4);
    core::writeTextFile(run + "/job.json", "{\"schema\":1,");
    expectRefused(upcycle({"train", run}), 3, {"job.json"});
    core::writeTextFile(run + "/job.json", R"({"schema":1,"batch":"large"})");
    expectRefused(upcycle({"train", run}), 3, {"job.json", "batch"});
}

TEST_F(BadRunsTest, AModelThatWentAwayIsAnErrorEvent) {
    fs::copy(dense_, path("model"));
    const std::string run = newRun("run", path("model"), 4);
    fs::remove_all(path("model"));
    const Result result = upcycle({"train", run});
    expectRefused(result, 3, {"model"});
    const auto events = eventsOf(run);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<core::HelloEvent>(events[0].what));
    EXPECT_EQ(std::get<core::ErrorEvent>(events[1].what).kind, "bad-input");
    EXPECT_EQ(core::RunDirectory::open(run).status().phase, core::RunPhase::Failed);
    EXPECT_TRUE(fs::is_empty(core::Path(run) / "checkpoints"));
}

TEST_F(BadRunsTest, EveryCheckpointDamaged) {
    const std::string run = newRun("run", dense_, 4, {"--keep", "1"});
    expectDone({"train", run});
    const core::Path newest = core::resolveModel(run);
    fs::resize_file(newest / "optimizer.safetensors", 40);
    const std::string events = core::readTextFile(run + "/events.jsonl");
    core::writeTextFile(run + "/events.jsonl",
                        events.substr(0, events.rfind("{\"event\":\"done\"")));
    expectRefused(upcycle({"train", run}), 3, {"damaged", "optimizer.safetensors"});
}

TEST_F(BadRunsTest, CheckpointsThatARunDoesNotHave) {
    const std::string run = newRun("run", dense_, 4);
    expectRefused(upcycle({"inspect", run}), 3, {"no checkpoint"});
    expectDone({"train", run});
    expectRefused(upcycle({"inspect", run + "@77"}), 3, {"77"});
    expectDone({"inspect", run + "@4"});
    expectDone({"inspect", run + "@step-00000004"});
}

TEST_F(BadRunsTest, NewRefusesWhatCannotWork) {
    expectNewRefused({"--steps", "0"}, 3, {"steps"});
    expectNewRefused({"--steps", "many"}, 2, {"--steps"});
    expectNewRefused({"--batch", "0"}, 3, {"batch"});
    expectNewRefused({"--batch", "4096"}, 3, {"batch"});
    expectNewRefused({"--lr", "nan"}, 3, {"lr"});
    expectNewRefused({"--lr", "-1"}, 3, {"lr"});
    expectNewRefused({"--epochs", "0"}, 2, {"--epochs"});
    expectNewRefused({"--epochs", "1", "--steps", "2"}, 2, {"--epochs"});
    expectNewRefused({"--optimizer", "magic"}, 2, {"magic"});
    expectNewRefused({"--schedule", "magic"}, 2, {"magic"});
    expectNewRefused({"--objective", "span-corruption"}, 2, {"span-corruption"});
    expectNewRefused({"--optimizer", "sgd", "--optimizer-state", "carry"}, 3, {"adamw", "sgd"});
    expectNewRefused({"--set", "bach=3"}, 2, {"bach"});
    expectNewRefused({"--set", "normalization.std=0"}, 2, {"normalization.std"});
    expectNewRefused({"--device", "tpu"}, 2, {"tpu"});
    expectNewRefused({"--dtype", "f16"}, 2, {"f16 is not computed"});
    expectNewRefused({"--plan", path("missing.json")}, 3, {"missing.json"});
    expectNewRefused({"--seed", "-1"}, 2, {"--seed", "-1"});
    expectNewRefused({"--seed", "18446744073709551616"}, 2, {"--seed", "18446744073709551616"});
    expectNewRefused({"--set", "optimizer.kind=magic"}, 2, {"magic", "expected a known name"});
    expectNewRefused({"--lr", "1", "--lr", "2"}, 2, {"--lr is given more than once"});
}

TEST_F(BadRunsTest, ScratchThatCannotWork) {
    const auto expectScratchRefused = [&](const std::vector<std::string>& more,
                                          const std::string& word) {
        std::vector<std::string> all{"new", path("run"), "--data", kData, "--model"};
        all.insert(all.end(), more.begin(), more.end());
        expectRefused(upcycle(all), 2, {word});
        EXPECT_FALSE(fs::exists(path("run")));
    };
    expectScratchRefused({"scratch:"}, "scratch:");
    expectScratchRefused(
        {"scratch:" + Workshop::get().config().string(), "--optimizer-state", "carry"}, "carry");
}

TEST_F(BadRunsTest, SettingsComeLastAndMayBeSeveral) {
    expectDone({"new", "--set", "steps=7", "batch=3", path("run"), "--model", dense_, "--data",
                kData, "--steps", "5", "--set", "clip=2", "seed=18446744073709551615"});
    const core::JobSpec job = core::RunDirectory::open(path("run")).job();
    EXPECT_EQ(job.trainer.steps, 7);
    EXPECT_EQ(job.batch, 3);
    EXPECT_EQ(job.trainer.clip, 2);
    EXPECT_EQ(job.seed, 18446744073709551615U);
}

TEST_F(BadRunsTest, NewRefusesToOverwrite) {
    newRun("run", dense_, 4);
    const auto before = treeOf(folder());
    expectRefused(upcycle({"new", path("run"), "--model", dense_, "--data", kData}), 3, {"run"});
    EXPECT_EQ(treeOf(folder()), before);
    fs::create_directory(path("full"));
    core::writeTextFile(path("full") + "/precious", "x");
    expectRefused(upcycle({"new", path("full"), "--model", dense_, "--data", kData}), 3, {"full"});
}

TEST_F(BadRunsTest, CarryingWhatIsNotThere) {
    fs::copy(dense_, path("bare"));
    fs::remove(path("bare") + "/optimizer.safetensors");
    expectRefused(upcycle({"new", path("run"), "--model", path("bare"), "--data", kData,
                           "--optimizer-state", "carry"}),
                  3, {"optimizer.safetensors"});
    expectDone({"new", path("run"), "--model", path("bare"), "--data", kData, "--steps", "2"});
    EXPECT_EQ(core::RunDirectory::open(path("run")).job().optimizerState,
              core::OptimizerStateMode::Reset);
}

TEST_F(BadRunsTest, WhatCannotFitInMemoryIsKnownBefore) {
    Json config = Json::parse(core::readTextFile(Workshop::get().config()));
    config["hidden_size"] = 16384;
    config["intermediate_size"] = 65536;
    config["num_hidden_layers"] = 96;
    core::writeTextFile(path("huge.json"), config.dump());
    const auto before = treeOf(folder());
    expectRefused(upcycle({"new", path("run"), "--model", "scratch:" + path("huge.json"), "--data",
                           kData, "--batch", "8"}),
                  5, {"memory"});
    EXPECT_EQ(treeOf(folder()), before);
}

}  // namespace
}  // namespace upcycle_test
