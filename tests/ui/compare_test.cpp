// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/recorded_run.h"
#include "ui/charts/line_chart.h"
#include "ui/compare/compare_workspace.h"
#include "ui/compare/comparison.h"
#include "ui/compare/run_table_model.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

namespace ui {
namespace {

RunSummary summary(const char* name) {
    RunSummary made;
    made.name = QString::fromLatin1(name);
    made.path = QStringLiteral("/runs/") + made.name;
    return made;
}

RunMetrics metricsOf(std::int64_t steps) {
    testing::RecordedRun run;
    run.steps = run.done = steps;
    RunMetrics metrics;
    for (const core::Event& event : testing::recordedEvents(run)) metrics.apply(event);
    return metrics;
}

TEST(Comparison, AxesAreSumsOfTheStepsOwn) {
    const RunMetrics metrics = metricsOf(40);
    const RunCost cost{1e6, 1e12};
    const auto last = [&](ComparisonAxis axis) {
        return seriesOver(metrics, metric::kLoss, axis, cost)->x().back();
    };
    EXPECT_DOUBLE_EQ(last(ComparisonAxis::Step), 40);
    EXPECT_DOUBLE_EQ(last(ComparisonAxis::Images), 40 * 128);
    EXPECT_NEAR(last(ComparisonAxis::Hours), 40 * 0.126 / 3600, 1e-4);
    EXPECT_DOUBLE_EQ(last(ComparisonAxis::Flops), 3e6 * 40 * 128 * 50);
    EXPECT_NEAR(last(ComparisonAxis::ExtraCost), 100 * 3e6 * 40 * 128 * 50 / 1e12, 1e-9);
    const SeriesPtr loss = seriesOver(metrics, metric::kLoss, ComparisonAxis::Images, cost);
    EXPECT_EQ(loss->y()[17], metrics.find(metric::kLoss)->y()[17]);
}

TEST(Comparison, StacksAreComparedWhereThereAreTwo) {
    EXPECT_TRUE(comparedMetricsOf({"encoder"}).empty());
    const std::vector<ComparedMetric> metrics = comparedMetricsOf({"encoder", "decoder"});
    ASSERT_EQ(metrics.size(), 6U);
    EXPECT_EQ(metrics[0].title, QStringLiteral("Unrouted tokens · Encoder"));
    testing::RecordedRun run;
    run.decoderLayers = 2;
    run.steps = run.done = 40;
    RunMetrics recorded;
    for (const core::Event& event : testing::recordedEvents(run)) recorded.apply(event);
    for (const ComparedMetric& compared : metrics)
        EXPECT_NE(seriesOver(recorded, compared.name, ComparisonAxis::Images, {}), nullptr)
            << compared.name;
}

TEST(Comparison, UnknownCostIsNoCurve) {
    const RunMetrics metrics = metricsOf(10);
    EXPECT_EQ(seriesOver(metrics, metric::kLoss, ComparisonAxis::Flops, {}), nullptr);
    EXPECT_EQ(seriesOver(metrics, metric::kLoss, ComparisonAxis::ExtraCost, {1e6, {}}), nullptr);
    EXPECT_EQ(seriesOver(metrics, "no such thing", ComparisonAxis::Step, {}), nullptr);
}

TEST(RunTableModel, KeepsChecksAndColorsOverANewLook) {
    RunTableModel model;
    const QAbstractItemModelTester tester(&model,
                                          QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setRuns({summary("a"), summary("b"), summary("c")});
    const QModelIndex b = model.index(1, RunTableModel::Name);
    ASSERT_TRUE(model.setData(b, Qt::Checked, Qt::CheckStateRole));
    ASSERT_TRUE(model.setData(model.index(2, 0), Qt::Checked, Qt::CheckStateRole));
    EXPECT_EQ(model.colorOf(QStringLiteral("/runs/b")), 0);
    EXPECT_EQ(model.colorOf(QStringLiteral("/runs/c")), 1);
    QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    model.setRuns({summary("a"), summary("b"), summary("c")});
    EXPECT_EQ(reset.size(), 0);  // the same runs: rows stay, selection and scroll with them
    model.setRuns({summary("b"), summary("c"), summary("d")});
    EXPECT_EQ(model.chosen(), (QStringList{QStringLiteral("/runs/b"), QStringLiteral("/runs/c")}));
    QSignalSpy chosen(&model, &RunTableModel::chosenChanged);
    model.setRuns({summary("c")});
    EXPECT_EQ(chosen.size(), 1);
    EXPECT_EQ(model.colorOf(QStringLiteral("/runs/c")), 1);
    model.choose(QStringLiteral("/runs/c"), false);
    EXPECT_TRUE(model.chosen().isEmpty());
}

TEST(RunTableModel, UnreadableRunsAreRowsThatSayWhy) {
    RunTableModel model;
    RunSummary broken = summary("broken");
    broken.problem = QStringLiteral("job.json: newer schema");
    model.setRuns({broken});
    EXPECT_EQ(model.index(0, RunTableModel::State).data().toString(), QStringLiteral("Unreadable"));
    EXPECT_EQ(model.index(0, 0).data(Qt::ToolTipRole).toString(), broken.problem);
    EXPECT_FALSE(model.setData(model.index(0, 0), Qt::Checked, Qt::CheckStateRole));
}

class Compare : public ::testing::Test {
  protected:
    Compare() : workspace(nullptr) {
        for (const char* name : {"alpha", "beta"}) {
            testing::RecordedRun run;
            run.name = name;
            run.steps = run.done = name[0] == 'a' ? 120 : 240;
            testing::writeRun(core::Path(place.path().toStdString()) / name, run);
        }
        workspace.resize(1200, 800);
        workspace.show();
        workspace.openFolder(place.path());
    }
    bool drawn(std::size_t curves) {
        return QTest::qWaitFor([&] { return workspace.chart().curves().size() == curves; }, 20'000);
    }

    QTemporaryDir place;
    CompareWorkspace workspace;
};

TEST_F(Compare, TableAndCurvesHoldTheRunsOfTheFolder) {
    ASSERT_TRUE(drawn(2));
    ASSERT_EQ(workspace.model().rowCount(), 2);
    const QModelIndex first = workspace.model().index(0, 0);
    EXPECT_EQ(first.data().toString(), QStringLiteral("alpha"));
    EXPECT_EQ(first.siblingAtColumn(RunTableModel::State).data().toString(),
              QStringLiteral("Finished"));
    EXPECT_EQ(first.siblingAtColumn(RunTableModel::Step).data().toString(),
              QStringLiteral("120 / 120"));
    EXPECT_EQ(first.siblingAtColumn(RunTableModel::Experts).data().toString(),
              QStringLiteral("3 × 8"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return workspace.chart().curves()[1].series->size() == 240; },
                                20'000));
    workspace.setAxis(ComparisonAxis::Images);
    EXPECT_DOUBLE_EQ(workspace.chart().curves()[1].series->x().back(), 240 * 128);
    workspace.setMetric(metric::eval("validation", "accuracy"));
    EXPECT_EQ(workspace.chart().curves()[1].series->size(), 4U);
    workspace.setAxis(ComparisonAxis::Flops);
    EXPECT_TRUE(workspace.chart().curves().empty());  // these runs have no checkpoint to ask
}

TEST_F(Compare, UncheckingTakesTheCurveAway) {
    ASSERT_TRUE(drawn(2));
    workspace.model().choose(workspace.model().chosen()[0], false);
    EXPECT_EQ(workspace.chart().curves().size(), 1U);
}

TEST_F(Compare, FilterNarrowsTheTable) {
    ASSERT_TRUE(drawn(2));
    workspace.findChild<QLineEdit*>()->setText(QStringLiteral("BET"));
    const QAbstractItemModel* shown = workspace.findChild<QTableView*>()->model();
    ASSERT_EQ(shown->rowCount(), 1);
    EXPECT_EQ(shown->index(0, 0).data().toString(), QStringLiteral("beta"));
}

}  // namespace
}  // namespace ui
