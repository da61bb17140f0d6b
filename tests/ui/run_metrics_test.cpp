// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/run_metrics.h"

#include "core/run/event_tail.h"
#include "tests/ui/recorded_run.h"
#include "ui/charts/line_chart.h"
#include "ui/runs/alarm_model.h"
#include "ui/runs/run_follower.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <fstream>

namespace ui {
namespace {

using core::RunPhase;

RunMetrics fixture() {
    core::EventTail tail(core::Path(UPCYCLER_SOURCE_DIR) /
                         "tests/ui/fixtures/resumed/events.jsonl");
    RunMetrics metrics;
    do {
        for (const core::Event& event : tail.poll(64).events) metrics.apply(event);
    } while (!tail.atEnd());
    return metrics;
}

std::vector<double> values(const SeriesPtr& series) {
    return {series->y().begin(), series->y().end()};
}

TEST(RunMetrics, ResumedRunHasOneCurve) {
    const RunMetrics metrics = fixture();
    const SeriesPtr loss = metrics.find(metric::kLoss);
    ASSERT_NE(loss, nullptr);
    EXPECT_EQ(std::vector<double>(loss->x().begin(), loss->x().end()),
              (std::vector<double>{1, 2, 3, 4}));
    EXPECT_EQ(values(loss), (std::vector<double>{2.5, 2.25, 2.0, 1.75}));
    EXPECT_TRUE(metrics.alarms().empty());  // the alarm of step 3 belongs to what was cut
    EXPECT_EQ(metrics.starts(), 2);
    EXPECT_EQ(metrics.step(), 4);
    EXPECT_EQ(metrics.lastCheckpoint(), 2);
}

TEST(RunMetrics, TornAndBrokenLinesAreSurvived) {
    const RunMetrics metrics = fixture();
    EXPECT_EQ(metrics.step(), 4);  // step 5 is torn
    EXPECT_EQ(values(metrics.find(metric::eval("test", "accuracy"))), std::vector<double>{0.5});
}

TEST(RunMetrics, EachStackHasItsMean) {
    RunMetrics metrics;
    const auto routed = [&](const char* block, double entropy) {
        core::RouterEvent event;
        event.stats.block = block;
        event.stats.load = {1, 1};
        event.stats.entropy = entropy;
        metrics.apply({1, 5, event});
    };
    routed("decoder.1", 0.75);
    routed("encoder.1", 0.25);
    routed("encoder.3", 0.5);
    EXPECT_EQ(metrics.stacks(), (std::vector<std::string>{"encoder", "decoder"}));
    EXPECT_EQ(metrics.blocks(), (std::vector<std::string>{"encoder.1", "encoder.3", "decoder.1"}));
    EXPECT_EQ(values(metrics.find("router/*/entropy")), std::vector<double>{0.5});
    EXPECT_EQ(values(metrics.find("router/encoder.*/entropy")), std::vector<double>{0.375});
    EXPECT_EQ(values(metrics.find("router/decoder.*/entropy")), std::vector<double>{0.75});
}

TEST(RunMetrics, PaceIsSaidInExamplesAndInTokens) {
    RunMetrics metrics;
    core::StepEvent step;
    step.examples = 8;
    step.tokens = 600;
    step.seconds = 2;
    metrics.apply({0, 1, step});
    EXPECT_EQ(values(metrics.find(metric::kThroughput)), std::vector<double>{4});
    EXPECT_EQ(values(metrics.find(metric::kTokenThroughput)), std::vector<double>{300});
}

TEST(RunMetrics, SamplesAreKeptBoundedAndCutByAResume) {
    RunMetrics metrics;
    EXPECT_TRUE(metrics.samples().empty());
    for (std::int64_t step = 1; step <= 1000; ++step)
        metrics.apply({1, step, core::SampleEvent{std::string(100'000, 'x'), "f", "t"}});
    ASSERT_EQ(metrics.samples().size(), 400U);
    EXPECT_EQ(metrics.samples().front().step, 601);
    EXPECT_LE(metrics.samples().front().text.input.size(), 32768U);
    EXPECT_LT(metrics.samples()[0].number, metrics.samples()[1].number);
    core::HelloEvent again;
    again.resumedFrom = 700;
    metrics.apply({2, 700, again});
    ASSERT_EQ(metrics.samples().size(), 100U);
    EXPECT_EQ(metrics.samples().back().step, 700);
}

TEST(RunMetrics, SumsGoOnAcrossTheCut) {
    const RunMetrics metrics = fixture();
    EXPECT_EQ(values(metrics.find(metric::kExamples)), (std::vector<double>{64, 128, 192, 256}));
    EXPECT_EQ(values(metrics.find(metric::kSeconds)), (std::vector<double>{0.5, 0.75, 1.25, 1.75}));
}

TEST(RunMetrics, BlocksComeInTheModelsOrderWithTheirMean) {
    const RunMetrics metrics = fixture();
    EXPECT_EQ(metrics.blocks(), (std::vector<std::string>{"encoder.9", "encoder.10"}));
    EXPECT_EQ(metrics.loads("encoder.10").last(), (std::vector<double>{1.0, 2.0, 0.5, 0.5}));
    EXPECT_EQ(values(metrics.find(metric::router("encoder.9", "dropped"))),
              std::vector<double>{0.125});
    const SeriesPtr mean = metrics.find(metric::router(metric::kAllBlocks, "unrouted"));
    ASSERT_EQ(mean->size(), 1U);
    EXPECT_DOUBLE_EQ(mean->y()[0], 0.15);
}

TEST(RunMetrics, NotFiniteLossIsAGapNotAZero) {
    RunMetrics metrics;
    core::StepEvent step;
    step.loss = std::nan("");
    step.seconds = 1;
    metrics.apply({0, 1, step});
    EXPECT_TRUE(std::isnan(metrics.find(metric::kLoss)->y()[0]));
}

TEST(RunMetrics, StepsThatComeAgainReplaceTheOldOnes) {
    RunMetrics metrics;
    core::StepEvent step;
    for (const std::int64_t at : {1, 2, 3, 2}) {
        step.loss = static_cast<double>(at * 10);
        metrics.apply({0, at, step});
    }
    const SeriesPtr loss = metrics.find(metric::kLoss);
    EXPECT_EQ(values(loss), (std::vector<double>{10, 20}));
}

TEST(RunMetrics, PhaseIsWhatLockAndEventsSay) {
    RunMetrics metrics;
    EXPECT_EQ(metrics.phase(false), RunPhase::New);
    metrics.apply({0, 0, core::HelloEvent{}});
    EXPECT_EQ(metrics.phase(true), RunPhase::Running);
    EXPECT_EQ(metrics.phase(false), RunPhase::Crashed);
    metrics.apply({0, 0, core::StateEvent{"paused"}});
    EXPECT_EQ(metrics.phase(true), RunPhase::Paused);
    metrics.apply({0, 0, core::StateEvent{"running"}});
    EXPECT_EQ(metrics.phase(true), RunPhase::Running);
    metrics.apply({0, 0, core::StateEvent{"stopping"}});
    EXPECT_EQ(metrics.phase(true), RunPhase::Stopping);
    metrics.apply({0, 0, core::DoneEvent{"stopped", 0}});
    EXPECT_EQ(metrics.phase(false), RunPhase::Stopped);
    metrics.apply({0, 0, core::HelloEvent{}});
    metrics.apply({0, 0, core::ErrorEvent{"disk-full", "full", "make room"}});
    EXPECT_EQ(metrics.phase(false), RunPhase::Failed);
    metrics.apply({0, 0, core::HelloEvent{}});
    EXPECT_EQ(metrics.phase(true), RunPhase::Running);
    metrics.apply({0, 0, core::DoneEvent{"finished", 0}});
    EXPECT_EQ(metrics.phase(false), RunPhase::Finished);
}

TEST(LoadHistory, GivesTheRowOfAStep) {
    LoadHistory history;
    history.append(10, {1, 0});
    history.append(20, {0, 1});
    EXPECT_EQ(history.at(5), (std::vector<double>{1, 0}));
    EXPECT_EQ(history.at(19.9), (std::vector<double>{1, 0}));
    EXPECT_EQ(history.at(20), (std::vector<double>{0, 1}));
    history.cutAfter(15);
    EXPECT_EQ(history.last(), (std::vector<double>{1, 0}));
}

TEST(AlarmModel, KeepsRowsAndPutsNewestFirst) {
    AlarmModel model;
    const QAbstractItemModelTester tester(&model,
                                          QAbstractItemModelTester::FailureReportingMode::Fatal);
    std::vector<RunMetrics::Alarm> alarms{{1, 10, "dead-expert", "encoder.3", "expert 2"}};
    model.setAlarms(alarms);
    alarms.push_back({2, 20, "collapse", "encoder.4", "two experts take all"});
    QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    model.setAlarms(alarms);
    EXPECT_EQ(inserted.size(), 1);
    EXPECT_EQ(reset.size(), 0);
    ASSERT_EQ(model.rowCount(), 2);
    EXPECT_EQ(model.index(0).data(AlarmModel::StepRole).toInt(), 20);
    EXPECT_TRUE(model.index(0).data().toString().contains(QStringLiteral("two experts take all")));
    model.setAlarms({});
    EXPECT_EQ(model.rowCount(), 0);
}

class Follower : public ::testing::Test {
  protected:
    Follower() { folder = core::Path(place.path().toStdString()) / "run"; }
    void appendText(const std::string& text) const {
        std::ofstream(folder / "events.jsonl", std::ios::app) << text;
    }
    static bool waitFor(const std::function<bool()>& condition) {
        return QTest::qWaitFor(condition, 20'000);
    }

    QTemporaryDir place;
    core::Path folder;
    RunFollower follower;
};

TEST_F(Follower, ChartsHoldTheEventsValues) {
    testing::RecordedRun run;
    run.steps = run.done = 300;
    testing::writeRun(folder, run);
    LineChart chart(QStringLiteral("Loss"));
    follower.open(QString::fromStdString(folder.string()));
    ASSERT_TRUE(waitFor([&] { return follower.isCaughtUp(); }));
    chart.setCurves(
        {{{QStringLiteral("train"), 0, true, false}, follower.metrics().find(metric::kLoss)}});
    std::size_t index = 0;
    for (const core::Event& event : testing::recordedEvents(run)) {
        const auto* step = std::get_if<core::StepEvent>(&event.what);
        if (step == nullptr) continue;
        ASSERT_LT(index, chart.curves()[0].series->size());
        EXPECT_EQ(chart.curves()[0].series->x()[index], static_cast<double>(event.step));
        EXPECT_EQ(chart.curves()[0].series->y()[index], step->loss);
        ++index;
    }
    EXPECT_EQ(index, 300U);
    EXPECT_EQ(follower.phase(), RunPhase::Finished);
    EXPECT_FALSE(follower.isAlive());
}

TEST_F(Follower, KnowsFromTheJobWhetherItLearnsFromTexts) {
    for (const core::Objective objective :
         {core::Objective::Classify, core::Objective::SpanCorruption,
          core::Objective::TextToText}) {
        testing::RecordedRun run;
        run.done = 1;
        run.objective = objective;
        testing::writeRun(folder, run);
        follower.open(QString::fromStdString(folder.string()));
        ASSERT_TRUE(waitFor([&] { return follower.isOpen() && follower.isCaughtUp(); }));
        EXPECT_EQ(follower.isText(), objective != core::Objective::Classify);
        follower.close();
    }
}

TEST_F(Follower, SeesALiveTrainerAndItsDeath) {
    testing::RecordedRun run;
    run.done = 100;
    run.end.clear();
    testing::writeRun(folder, run);
    auto lock = core::FileLock::tryLock(folder / "run.lock");
    follower.open(QString::fromStdString(folder.string()));
    ASSERT_TRUE(waitFor([&] { return follower.isCaughtUp() && follower.isAlive(); }));
    EXPECT_EQ(follower.phase(), RunPhase::Running);
    EXPECT_EQ(follower.metrics().step(), 100);
    ASSERT_TRUE(follower.secondsLeft().has_value());
    EXPECT_NEAR(*follower.secondsLeft(), 400 * 0.126, 400 * 0.01);

    core::StepEvent step;
    step.loss = 0.125;
    const std::string line = core::toJsonLine({0, 101, step}) + "\n";
    appendText(line.substr(0, 20));
    QTest::qWait(600);
    EXPECT_EQ(follower.metrics().step(), 100);
    appendText(line.substr(20));
    ASSERT_TRUE(waitFor([&] { return follower.metrics().step() == 101; }));
    EXPECT_EQ(follower.metrics().find(metric::kLoss)->y().back(), 0.125);

    lock.reset();
    ASSERT_TRUE(waitFor([&] { return follower.phase() == RunPhase::Crashed; }));
}

TEST_F(Follower, SaysWhatIsNotARun) {
    QSignalSpy failed(&follower, &RunFollower::failed);
    follower.open(place.path());
    ASSERT_TRUE(waitFor([&] { return !failed.isEmpty(); }));
    EXPECT_FALSE(follower.isOpen());
}

TEST_F(Follower, LettingGoWhileReadingIsSafe) {
    testing::RecordedRun run;
    run.steps = run.done = 3000;
    testing::writeRun(folder, run);
    for (int i = 0; i < 20; ++i) {
        RunFollower brief;
        brief.open(QString::fromStdString(folder.string()));
        QTest::qWait(i);
        if (i % 2 == 0) brief.close();
    }
    follower.open(QString::fromStdString(folder.string()));
    follower.open(QString::fromStdString(folder.string()));
    ASSERT_TRUE(waitFor([&] { return follower.isCaughtUp(); }));
    EXPECT_EQ(follower.metrics().find(metric::kLoss)->size(), 3000U);
}

}  // namespace
}  // namespace ui
