// SPDX-License-Identifier: Apache-2.0
// Steering a living trainer: orders, signals, locks.
#include "core/run/run_directory.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

namespace upcycle_test {
namespace {

using core::DoneEvent;
using core::StateEvent;
using core::StepEvent;

class OrdersTest : public AppTest {
  protected:
    /// A run that does not end by itself, with a trainer that has done a step.
    void start(const std::vector<std::string>& more = {}) {
        run_ = newRun("run", Workshop::get().dense().string(), 1000000, more);
        startTrainer();
    }
    void startTrainer() {
        const std::size_t before = eventsOf(run_).size();
        trainer_.emplace(std::vector<std::string>{"train", run_});
        ASSERT_TRUE(waitForEvent<StepEvent>(
            run_, [](const auto&, const auto&) { return true; }, before));
    }
    bool stateCame(const std::string& state) const {
        return waitForEvent<StateEvent>(
            run_, [&](const auto&, const StateEvent& event) { return event.state == state; });
    }
    std::int64_t stepsDone() const { return static_cast<std::int64_t>(lossesOf(run_).size()); }
    std::string doneReason() const {
        const auto events = eventsOf(run_);
        const auto* done = events.empty() ? nullptr : std::get_if<DoneEvent>(&events.back().what);
        return done == nullptr ? "(no done)" : done->reason;
    }
    core::RunStatus status() const { return core::RunDirectory::open(run_).status(); }

    std::string run_;
    std::optional<Process> trainer_;
};

TEST_F(OrdersTest, PauseHoldsAndResumeGoesOn) {
    start();
    expectDone({"pause", run_});
    ASSERT_TRUE(stateCame("paused"));
    EXPECT_EQ(status().phase, core::RunPhase::Paused);
    EXPECT_EQ(jsonOf(expectDone({"status", run_, "--json"}))["phase"], "paused");
    const std::int64_t held = stepsDone();
    expectDone({"checkpoint", run_});  // an order that it obeys, and does no step on the way
    ASSERT_TRUE(waitForEvent<core::CheckpointEvent>(
        run_, [held](const core::Event& event, const auto&) { return event.step == held; }));
    EXPECT_EQ(stepsDone(), held);
    expectDone({"resume", run_});
    ASSERT_TRUE(waitForEvent<StepEvent>(
        run_, [held](const core::Event& event, const auto&) { return event.step > held; }));
    expectDone({"stop", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
}

TEST_F(OrdersTest, OrdersAreObeyedDuringAPause) {
    start();
    expectDone({"pause", run_});
    ASSERT_TRUE(stateCame("paused"));
    const std::int64_t step = stepsDone();
    expectDone({"checkpoint", run_});
    ASSERT_TRUE(waitForEvent<core::CheckpointEvent>(
        run_, [step](const core::Event& event, const auto&) { return event.step == step; }));
    EXPECT_EQ(status().checkpoints.back(), step);
    expectDone({"stop-and-save", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(doneReason(), "stopped");
    EXPECT_EQ(stepsDone(), step);
}

TEST_F(OrdersTest, CheckpointNowDoesNotStop) {
    start();
    expectDone({"checkpoint", run_});
    ASSERT_TRUE(waitForEvent<core::CheckpointEvent>(
        run_, [](const core::Event& event, const auto&) { return event.step > 0; }));
    const std::int64_t saved = status().checkpoints.back();
    ASSERT_TRUE(waitForEvent<StepEvent>(
        run_, [saved](const core::Event& event, const auto&) { return event.step > saved; }));
    expectDone({"stop", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
}

TEST_F(OrdersTest, StopSavesNothingAndStopAndSaveSaves) {
    start();
    expectDone({"stop", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(doneReason(), "stopped");
    EXPECT_EQ(status().phase, core::RunPhase::Stopped);
    EXPECT_EQ(status().checkpoints, std::vector<std::int64_t>{0});
    startTrainer();
    expectDone({"stop-and-save", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
    const core::RunStatus saved = status();
    EXPECT_EQ(saved.checkpoints.back(), saved.step);
    EXPECT_GT(saved.step, 0);
}

TEST_F(OrdersTest, ObeyedOrdersAreNotObeyedAgain) {
    start();
    expectDone({"pause", run_});
    ASSERT_TRUE(stateCame("paused"));
    std::ofstream(core::RunDirectory::open(run_).controlFile(), std::ios::app)
        << "{\"command\": \"checkpoint\"}\n{\"command\": \"stop\"}\n";  // both in time
    EXPECT_EQ(trainer_->wait().exit, 6);
    const std::int64_t step = status().step;
    startTrainer();
    ASSERT_TRUE(waitForEvent<StepEvent>(
        run_, [step](const core::Event& event, const auto&) { return event.step > step + 2; }));
    EXPECT_EQ(status().phase, core::RunPhase::Running);
    trainer_->signal(SIGTERM);
    EXPECT_EQ(trainer_->wait().exit, 6);
}

TEST_F(OrdersTest, SetChangesTheLearningRate) {
    start({"--schedule", "constant", "--lr", "0.001"});
    expectDone({"set", run_, "lr=0.0005"});
    ASSERT_TRUE(waitForEvent<StepEvent>(
        run_, [](const auto&, const StepEvent& event) { return event.lr == 0.0005; }));
    expectRefused(upcycle({"set", run_, "batch=3"}), 2, {"batch=3"});
    expectRefused(upcycle({"set", run_, "lr=fast"}), 2, {"lr=fast"});
    expectDone({"stop", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
}

TEST_F(OrdersTest, SigtermAndSigintStopAndSave) {
    start();
    trainer_->signal(SIGTERM);
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(status().checkpoints.back(), status().step);
    startTrainer();
    trainer_->signal(SIGINT);
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(doneReason(), "stopped");
    EXPECT_EQ(status().checkpoints.back(), status().step);
}

TEST_F(OrdersTest, ASignalAtAnyMomentOfTheStartIsAStop) {
    for (int moment = 0; moment < 24; ++moment) {
        SCOPED_TRACE(moment);
        run_ = newRun("run" + std::to_string(moment), Workshop::get().dense().string(), 1000000,
                      {"--plan", Workshop::get().plan().string()});
        trainer_.emplace(std::vector<std::string>{"train", run_});
        ASSERT_TRUE(waitUntil([&] { return std::filesystem::exists(run_ + "/run.lock"); }));
        std::this_thread::sleep_for(std::chrono::milliseconds(moment));
        trainer_->signal(moment % 2 == 0 ? SIGTERM : SIGINT);
        const Result result = trainer_->wait();
        EXPECT_EQ(result.exit, 6) << result.err;
        EXPECT_EQ(result.err.find("upcycle: "), std::string::npos) << result.err;
        EXPECT_EQ(doneReason(), "stopped");
        EXPECT_EQ(status().phase, core::RunPhase::Stopped);
        for (const auto& [name, content] : treeOf(run_))
            EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
    }
}

TEST_F(OrdersTest, ASignalDuringLoadingWaits) {
    run_ = newRun("run", Workshop::get().dense().string(), 1000000);
    trainer_.emplace(std::vector<std::string>{"train", run_});
    ASSERT_TRUE(waitUntil(
        [&] { return trainer_->holdsSignals() || std::filesystem::exists(run_ + "/run.lock"); }));
    trainer_->signal(SIGINT);
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(doneReason(), "stopped");
}

TEST_F(OrdersTest, InterruptedTwiceItStopsWithoutSaving) {
    start();
    trainer_->signal(SIGINT);
    trainer_->signal(SIGINT);
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(doneReason(), "stopped");
}

TEST_F(OrdersTest, AnOrderToStopDuringTheStartIsObeyed) {
    run_ = newRun("run", Workshop::get().dense().string(), 1000000);
    core::RunDirectory::open(run_).order("pause");
    core::RunDirectory::open(run_).order("stop");
    trainer_.emplace(std::vector<std::string>{"train", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(doneReason(), "stopped");
    EXPECT_EQ(stepsDone(), 0);
    startTrainer();  // both orders are settled
    trainer_->signal(SIGTERM);
    EXPECT_EQ(trainer_->wait().exit, 6);
}

TEST_F(OrdersTest, ASecondTrainerIsRefused) {
    start();
    expectRefused(upcycle({"train", run_}), 3, {run_, "in use"});
    EXPECT_TRUE(trainer_->isRunning());
    expectDone({"stop", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
}

TEST_F(OrdersTest, WithoutATrainerOrdersAreRefused) {
    const std::string run = newRun("run", Workshop::get().dense().string(), 5);
    for (const char* order : {"pause", "resume", "checkpoint", "stop", "stop-and-save"})
        expectRefused(upcycle({order, run}), 3, {run, "no trainer"});
    EXPECT_FALSE(std::filesystem::exists(core::Path(run) / "control.jsonl"));
}

TEST_F(OrdersTest, WatchFollowsToTheEnd) {
    start();
    Process watcher({"watch", run_});
    ASSERT_TRUE(waitUntil([&] {
        expectDone({"checkpoint", run_});
        return watcher.outputSoFar().find("wrote checkpoints/") != std::string::npos;
    }));
    EXPECT_TRUE(watcher.isRunning());
    expectDone({"stop-and-save", run_});
    EXPECT_EQ(trainer_->wait().exit, 6);
    const Result result = watcher.wait();
    EXPECT_EQ(result.exit, 0);
    EXPECT_NE(result.out.find("stopped"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("loss"), std::string::npos) << result.out;
}

TEST_F(OrdersTest, FinishEpochStopsAtItsEnd) {
    start();
    core::RunDirectory::open(run_).order("finish-epoch");
    EXPECT_EQ(trainer_->wait().exit, 6);
    EXPECT_EQ(status().checkpoints.back(), status().step);
    EXPECT_EQ(status().step % 12, 0) << "96 examples in batches of 8";
}

}  // namespace
}  // namespace upcycle_test
