// SPDX-License-Identifier: Apache-2.0
// Bit-equal resume: kill -9 at any moment, go on, same losses and the same final bytes.
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <thread>

namespace upcycle_test {
namespace {

constexpr int kSteps = 60;

class ResumeTest : public AppTest, public testing::WithParamInterface<const char*> {
  protected:
    std::string makeRun(const std::string& name) const {
        return newRun(
            name, Workshop::get().dense().string(), kSteps,
            {"--plan", Workshop::get().plan().string(), "--optimizer", GetParam(), "--eval-every",
             "20", "--checkpoint-every", "4", "--keep", "2", "--seed", "7", "--set", "microbatch=4",
             "--set", "augmentation.crop_padding=1", "--set", "eval_examples=16"});
    }
    /// Trains, killing the first trainer with its first step and every other one after a random
    /// part of `longestLife`, until one ends by itself.
    int trainWithKills(const std::string& run, std::chrono::milliseconds longestLife) const {
        std::mt19937 random(1);
        for (int kills = 0;; ++kills) {
            Process trainer({"train", run});
            const auto life = longestLife * (random() % 100) / 100;
            const auto begin = std::chrono::steady_clock::now();
            const auto lives = [&] {
                if (kills == 0)
                    return !std::filesystem::exists(run + "/events.jsonl") || lossesOf(run).empty();
                return kills >= 12 || std::chrono::steady_clock::now() - begin < life;
            };
            while (trainer.isRunning() && lives())
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (!trainer.isRunning()) {
                const Result result = trainer.wait();
                EXPECT_EQ(result.exit, 0) << result.err;
                return kills;
            }
            trainer.signal(SIGKILL);
            trainer.wait();
        }
    }
};

TEST_P(ResumeTest, KilledAtAnyMomentItGoesOnToTheSameBits) {
    const std::string whole = makeRun("whole");
    const std::string killed = makeRun("killed");
    const auto begin = std::chrono::steady_clock::now();
    expectDone({"train", whole});
    const auto took = std::chrono::steady_clock::now() - begin;
    const int kills =
        trainWithKills(killed, std::chrono::duration_cast<std::chrono::milliseconds>(took * 2 / 3));
    EXPECT_GE(kills, 1);
    const auto expected = lossesOf(whole);
    ASSERT_EQ(expected.size(), static_cast<std::size_t>(kSteps));
    EXPECT_EQ(lossesOf(killed), expected) << "after " << kills << " kills";
    for (const char* file : {"model.safetensors", "optimizer.safetensors"})
        EXPECT_EQ(core::readTextFile(core::resolveModel(killed) / file),
                  core::readTextFile(core::resolveModel(whole) / file))
            << file;
    const core::RunStatus status = core::RunDirectory::open(killed).status();
    EXPECT_EQ(status.phase, core::RunPhase::Finished);
    EXPECT_EQ(status.checkpoints, (std::vector<std::int64_t>{kSteps - 4, kSteps}));
    for (const auto& [name, content] : treeOf(killed))
        EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
}

INSTANTIATE_TEST_SUITE_P(Optimizers, ResumeTest, testing::Values("adamw", "adafactor", "sgd"));

class ResumeOnceTest : public AppTest {
  protected:
    std::string makeRun(const std::string& name) const {
        return newRun(name, Workshop::get().dense().string(), 30, {"--checkpoint-every", "10"});
    }
};

TEST_F(ResumeOnceTest, ADamagedNewestCheckpointIsSaidAndSkipped) {
    const std::string whole = makeRun("whole");
    expectDone({"train", whole});
    const std::string run = makeRun("damaged");
    expectDone({"train", run});
    // As if the trainer had died before its last words, and the disk had lost a part.
    const core::Path newest = core::resolveModel(run);
    std::filesystem::resize_file(newest / "model.safetensors", 1000);
    std::string events = core::readTextFile(run + "/events.jsonl");
    core::writeTextFile(run + "/events.jsonl",
                        events.substr(0, events.find("{\"event\":\"done\"")));
    const Result result = expectDone({"train", run});
    EXPECT_NE(result.err.find("checkpoint 30 is damaged"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("goes on from step 20"), std::string::npos) << result.err;
    EXPECT_EQ(lossesOf(run), lossesOf(whole));
    EXPECT_EQ(core::readTextFile(core::resolveModel(run) / "model.safetensors"),
              core::readTextFile(core::resolveModel(whole) / "model.safetensors"));
}

TEST_F(ResumeOnceTest, ATornLastLineAndAHalfWrittenCheckpointAreSurvived) {
    const std::string whole = makeRun("whole");
    expectDone({"train", whole});
    const std::string run = makeRun("torn");
    expectDone({"train", run});
    std::filesystem::remove_all(core::resolveModel(run));
    const core::Path half = core::Path(run) / "checkpoints" / ".step-00000030.tmp-999999-0";
    std::filesystem::create_directory(half);
    core::writeTextFile(half / "model.safetensors", "half");
    std::string events = core::readTextFile(run + "/events.jsonl");
    core::writeTextFile(run + "/events.jsonl",
                        events.substr(0, events.find("{\"event\":\"done\"") - 40));
    expectDone({"train", run});
    EXPECT_FALSE(std::filesystem::exists(half));
    EXPECT_EQ(lossesOf(run), lossesOf(whole));
}

TEST_F(ResumeOnceTest, AFinishedRunIsLeftAlone) {
    const std::string run = makeRun("run");
    expectDone({"train", run});
    const std::string before = core::readTextFile(run + "/events.jsonl");
    const Result again = expectDone({"train", run});
    EXPECT_NE(again.err.find("finished already"), std::string::npos) << again.err;
    EXPECT_EQ(core::readTextFile(run + "/events.jsonl"), before);
}

TEST_F(ResumeOnceTest, ALearningRateSetBeforeTheCrashIsSetAgain) {
    const std::string run =
        newRun("run", Workshop::get().dense().string(), 100000, {"--checkpoint-every", "100000"});
    {
        Process trainer({"train", run});
        ASSERT_TRUE(
            waitForEvent<core::StepEvent>(run, [](const auto&, const auto&) { return true; }));
        expectDone({"set", run, "lr=0.00025"});
        ASSERT_TRUE(
            waitForEvent<core::OrderEvent>(run, [](const auto&, const auto&) { return true; }));
        trainer.signal(SIGKILL);
        trainer.wait();
    }
    std::int64_t setAt = 0;
    for (const core::Event& event : eventsOf(run))
        if (std::holds_alternative<core::OrderEvent>(event.what)) setAt = event.step;
    Process trainer({"train", run});
    ASSERT_TRUE(waitForEvent<core::HelloEvent>(
        run, [](const auto&, const core::HelloEvent& hello) { return hello.resumedFrom == 0; }));
    const auto lrIs = [&](std::int64_t step, bool changed) {
        int hellos = 0;
        for (const core::Event& event : eventsOf(run)) {
            if (std::holds_alternative<core::HelloEvent>(event.what)) ++hellos;
            const auto* done = std::get_if<core::StepEvent>(&event.what);
            if (done != nullptr && hellos == 2 && event.step == step)
                return (done->lr < 0.0003) == changed;
        }
        return false;
    };
    ASSERT_TRUE(waitForEvent<core::StepEvent>(
        run, [&](const core::Event& event,
                 const auto&) { return event.step == setAt + 1 && lrIs(setAt + 1, true); }))
        << "set at step " << setAt;
    EXPECT_TRUE(setAt == 0 || lrIs(setAt, false));
    trainer.signal(SIGTERM);
    EXPECT_EQ(trainer.wait().exit, 6);
}

}  // namespace
}  // namespace upcycle_test
