// SPDX-License-Identifier: Apache-2.0
#include "core/run/run_record.h"

#include "core/run/lines.h"
#include "tests/core/run/scratch.h"

#include <gtest/gtest.h>

namespace core {
namespace {

class RunRecordTest : public testing::Test {
  protected:
    RunRecordTest() : run_(RunDirectory::create(scratch_.path() / "run", job())) {}

    static JobSpec job() {
        JobSpec made;
        made.model = "/models/dense";
        made.data = "fashion-mnist";
        made.trainer.steps = 30;
        return made;
    }
    void tell(std::int64_t step, decltype(Event::what) what) const {
        appendLine(File::openForAppending(run_.eventsFile()), toJsonLine({1, step, what}));
    }
    void steps(std::int64_t from, std::int64_t to, double loss) const {
        for (std::int64_t step = from; step <= to; ++step) {
            StepEvent event;
            event.loss = loss;
            event.seconds = 2;
            tell(step, event);
        }
    }
    void router(std::int64_t step, const std::string& block, double cv) const {
        RouterEvent event;
        event.stats.block = block;
        event.stats.cv = cv;
        event.stats.load = {1, 1};
        event.experts = 2;
        tell(step, event);
    }
    void evaluate(std::int64_t step, const std::string& split, double loss) const {
        EvalEvent event;
        event.split = split;
        event.loss = loss;
        tell(step, event);
    }
    Path checkpoint(std::int64_t step) const {
        const Path folder = run_.checkpointFolder(step);
        std::filesystem::create_directories(folder);
        TrainingState state;
        state.step = step;
        state.globalStep = 1000 + step;
        writeTextFile(folder / "training.json", toJson(state));
        writeTextFile(folder / "model.safetensors", "");
        return folder;
    }
    ScratchFolder scratch_;
    RunDirectory run_;
};

TEST_F(RunRecordTest, EndsAtTheCheckpointAndLeavesOutWhatAResumeMadeVoid) {
    HelloEvent hello;
    hello.device = "cpu";
    tell(0, hello);
    steps(1, 10, 3.0);
    router(5, "encoder.1", 0.5);
    router(10, "encoder.1", 0.6);
    evaluate(5, "test", 2.5);
    evaluate(10, "test", 9.0);
    hello.device = "cuda:0";
    tell(5, hello);
    steps(6, 12, 1.0);
    router(8, "encoder.2", 0.7);
    evaluate(12, "train", 0.5);
    evaluate(12, "test", 0.75);
    tell(12, hello);
    steps(13, 20, 0.5);
    evaluate(20, "test", 0.25);
    checkpoint(12);

    const RunRecord record = readRunRecord(run_, 12);
    EXPECT_EQ(record.job.data, "fashion-mnist");
    EXPECT_EQ(record.state.globalStep, 1012);
    EXPECT_EQ(record.hello.device, "cuda:0");
    ASSERT_EQ(record.curve.training.size(), 12U);
    for (const auto& [step, loss] : record.curve.training)
        EXPECT_EQ(loss, step <= 5 ? 3.0 : 1.0) << step;
    EXPECT_EQ(record.seconds, 24.0);
    EXPECT_EQ(record.curve.evaluationName, "test");
    EXPECT_EQ(record.curve.evaluation,
              (std::vector<std::pair<std::int64_t, double>>{{5, 2.5}, {12, 0.75}}));
    EXPECT_EQ(record.evals.at("test").loss, 0.75);
    EXPECT_EQ(record.evals.at("train").loss, 0.5);
    EXPECT_EQ(record.evalSteps.at("train"), 12);
    ASSERT_EQ(record.routers.size(), 2U);
    EXPECT_EQ(record.routers[0].block, "encoder.1");
    EXPECT_EQ(record.routers[0].cv, 0.5);
    EXPECT_EQ(record.routerStep, 8);
}

TEST_F(RunRecordTest, ALaterResumeFromEarlierVoidsAllBetween) {
    tell(0, HelloEvent{});
    steps(1, 10, 3.0);
    tell(8, HelloEvent{});
    steps(9, 10, 2.0);
    tell(4, HelloEvent{});
    steps(5, 6, 1.0);
    checkpoint(10);
    const RunRecord record = readRunRecord(run_, 10);
    ASSERT_EQ(record.curve.training.size(), 6U);
    EXPECT_EQ(record.curve.training[3].second, 3.0);
    EXPECT_EQ(record.curve.training[4].second, 1.0);
}

TEST_F(RunRecordTest, ARunWithoutEvents) {
    checkpoint(0);
    const RunRecord record = readRunRecord(run_, 0);
    EXPECT_TRUE(record.curve.training.empty());
    EXPECT_TRUE(record.routers.empty());
}

TEST_F(RunRecordTest, ACheckpointKnowsItsRun) {
    const Path folder = checkpoint(12);
    const auto found = runCheckpointOf(folder);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->run, std::filesystem::canonical(run_.path()));
    EXPECT_EQ(found->step, 12);
    EXPECT_TRUE(runCheckpointOf(folder / "."));
    EXPECT_FALSE(runCheckpointOf(run_.path()));
    EXPECT_FALSE(runCheckpointOf(run_.checkpointsFolder()));
    EXPECT_FALSE(runCheckpointOf(run_.path() / "missing"));
    std::filesystem::create_directories(run_.path() / "other/step-00000012");
    EXPECT_FALSE(runCheckpointOf(run_.path() / "other/step-00000012"));
}

}  // namespace
}  // namespace core
