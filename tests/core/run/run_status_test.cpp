// SPDX-License-Identifier: Apache-2.0
#include "core/run/lines.h"
#include "core/run/run_directory.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

class RunStatusTest : public testing::Test {
  protected:
    RunStatusTest() {
        JobSpec job;
        job.model = "scratch:/config.json";
        job.trainer.steps = 10;
        run_ = RunDirectory::create(scratch_.path() / "run", job);
    }
    template <typename T>
    void log(std::int64_t step, T what) {
        appendLine(File::openForAppending(run_->eventsFile()),
                   toJsonLine(Event{1.0, step, std::move(what)}));
    }
    void logStep(std::int64_t step, double loss, double seconds) {
        StepEvent event;
        event.loss = loss;
        event.seconds = seconds;
        log(step, event);
    }
    RunPhase phase() const { return run_->status().phase; }

    ScratchFolder scratch_;
    std::optional<RunDirectory> run_;
};

TEST_F(RunStatusTest, ANewRunHasDoneNothing) {
    const RunStatus status = run_->status();
    EXPECT_EQ(status.phase, RunPhase::New);
    EXPECT_FALSE(status.alive);
    EXPECT_EQ(status.step, 0);
    EXPECT_EQ(status.steps, 10);
    EXPECT_FALSE(status.loss.has_value());
}

TEST_F(RunStatusTest, PhasesOfALivingTrainer) {
    const std::optional<FileLock> lock = FileLock::tryLock(run_->lockFile());
    ASSERT_TRUE(lock.has_value());
    EXPECT_EQ(phase(), RunPhase::Running);
    log(0, HelloEvent{});
    EXPECT_EQ(phase(), RunPhase::Running);
    log(2, StateEvent{"paused"});
    EXPECT_EQ(phase(), RunPhase::Paused);
    log(2, StateEvent{"running"});
    EXPECT_EQ(phase(), RunPhase::Running);
    log(3, StateEvent{"stopping"});
    EXPECT_EQ(phase(), RunPhase::Stopping);
    EXPECT_TRUE(run_->status().alive);
}

TEST_F(RunStatusTest, PhasesOfAnEndedOne) {
    log(0, HelloEvent{});
    logStep(1, 2.0, 0.1);
    EXPECT_EQ(phase(), RunPhase::Crashed);
    log(1, ErrorEvent{"disk-full", "the disk is full", "free some"});
    EXPECT_EQ(phase(), RunPhase::Failed);
    EXPECT_EQ(run_->status().message, "the disk is full");
    log(1, HelloEvent{});
    EXPECT_EQ(phase(), RunPhase::Crashed);
    EXPECT_TRUE(run_->status().message.empty());
    log(5, DoneEvent{"stopped", 0});
    EXPECT_EQ(phase(), RunPhase::Stopped);
    log(10, HelloEvent{});
    log(10, DoneEvent{"finished", 0});
    EXPECT_EQ(phase(), RunPhase::Finished);
}

TEST_F(RunStatusTest, NumbersOfTheNewestTrainer) {
    log(0, HelloEvent{});
    logStep(1, 9.0, 100.0);
    logStep(2, 8.0, 100.0);
    log(1, HelloEvent{});
    EXPECT_EQ(run_->status().step, 1);
    logStep(2, 3.0, 0.5);
    logStep(3, 2.0, 0.25);
    logStep(4, 1.0, 0.125);
    log(4, EvalEvent{"test", 1.5, 0.75, {}});
    const RunStatus status = run_->status();
    EXPECT_EQ(status.step, 4);
    EXPECT_EQ(status.loss, 1.0);
    EXPECT_EQ(status.accuracy, 0.75);
    EXPECT_EQ(status.secondsPerStep, 0.25);
}

TEST_F(RunStatusTest, ATornLastLineIsSurvived) {
    log(0, HelloEvent{});
    logStep(1, 2.0, 0.1);
    File::openForAppending(run_->eventsFile()).append(R"({"event":"step","st)");
    EXPECT_EQ(run_->status().step, 1);
}

TEST_F(RunStatusTest, OfALongRunOnlyTheEndIsRead) {
    log(0, HelloEvent{});
    File file = File::openForAppending(run_->eventsFile());
    std::string many;
    for (int i = 0; i < 60000; ++i) {
        StepEvent event;
        event.loss = 0.5;
        many += toJsonLine(Event{1.0, i + 1, event}) + "\n";
    }
    file.append(many);
    EXPECT_GT(file.size(), std::uint64_t{8} << 20);
    EXPECT_EQ(run_->status().step, 60000);
    EXPECT_EQ(phase(), RunPhase::Crashed);
}

}  // namespace
}  // namespace core
