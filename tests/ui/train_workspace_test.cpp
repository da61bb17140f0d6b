// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/train_workspace.h"

#include "core/base/file.h"
#include "core/run/control.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/ui/recorded_run.h"
#include "tests/ui/tiny_checkpoint.h"
#include "ui/charts/heat_map.h"
#include "ui/charts/load_bars.h"
#include "ui/document/document.h"
#include "ui/train/job_page.h"
#include "ui/train/notice.h"
#include "ui/train/phase_pill.h"
#include "ui/train/run_charts.h"
#include "ui/train/run_panel.h"
#include "ui/train/sample_panel.h"

#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QAbstractSlider>
#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

namespace ui {
namespace {

class Workspace : public ::testing::Test {
  protected:
    Workspace()
        : folder(core::Path(place.path().toStdString()) / "run"), workspace(document, nullptr) {
        workspace.resize(1280, 800);
        workspace.show();
    }
    void open(const testing::RecordedRun& run) {
        testing::writeRun(folder, run);
        workspace.openRun(QString::fromStdString(folder.string()));
        ASSERT_TRUE(waitFor(
            [&] { return workspace.follower().isOpen() && workspace.follower().isCaughtUp(); }));
    }
    static bool waitFor(const std::function<bool()>& condition) {
        return QTest::qWaitFor(condition, 20'000);
    }
    QPushButton& button(const char* name) {
        return *workspace.findChild<QPushButton*>(QString::fromLatin1(name));
    }
    const Notice& panelNotice() { return *workspace.runPanel().findChild<Notice*>(); }
    QString pill() { return workspace.runPanel().findChild<PhasePill*>()->text(); }

    QTemporaryDir place;
    core::Path folder;
    Document document;
    TrainWorkspace workspace;
};

testing::RecordedRun unfinished() {
    testing::RecordedRun run;
    run.done = 300;
    run.end.clear();
    return run;
}

TEST_F(Workspace, OpeningAFinishedRunFillsTheCharts) {
    open({});
    EXPECT_EQ(pill(), QStringLiteral("Finished"));
    RunCharts& charts = workspace.charts();
    const LineChart* loss = charts.line(QStringLiteral("chart/loss"));
    ASSERT_EQ(loss->curves().size(), 2U);
    EXPECT_EQ(loss->curves()[0].series->size(), 500U);
    EXPECT_EQ(loss->curves()[1].series->size(), 10U);
    for (ChartWidget* chart : charts.charts()) {
        EXPECT_FALSE(chart->isEmpty()) << chart->objectName().toStdString();
    }
    const LoadHistory& history = workspace.follower().metrics().loads("encoder.3");
    EXPECT_EQ(charts.loadBars().loads(), history.last());
    EXPECT_EQ(charts.heatMap().image().size(), QSize(8, 3));
    EXPECT_FALSE(workspace.isTraining());
}

TEST_F(Workspace, ChoosingALayerShowsItsRouter) {
    open({});
    RunCharts& charts = workspace.charts();
    charts.setLayer(QStringLiteral("encoder.5"));
    EXPECT_EQ(charts.loadBars().layer(), QStringLiteral("encoder.5"));
    EXPECT_EQ(charts.loadBars().loads()[2], 0);  // the expert that died
    EXPECT_EQ(charts.line(QStringLiteral("chart/unrouted"))->curves()[0].series,
              workspace.follower().metrics().find(metric::router("encoder.5", "unrouted")));
    Q_EMIT charts.heatMap().rowChosen(0);
    EXPECT_EQ(charts.layer(), QStringLiteral("encoder.3"));
}

testing::RecordedRun twoStacks() {
    testing::RecordedRun run;
    run.layers = 3;
    run.decoderLayers = 2;
    run.samples = 10;
    run.objective = core::Objective::SpanCorruption;
    return run;
}

TEST_F(Workspace, TwoStacksAreTwoGroups) {
    open(twoStacks());
    RunCharts& charts = workspace.charts();
    EXPECT_EQ(charts.heatMap().groups(),
              (QStringList{QStringLiteral("Encoder"), QStringLiteral("Decoder")}));
    EXPECT_EQ(charts.heatMap().image().size(), QSize(8, 5));
    auto* layers = charts.loadBars().findChild<QComboBox*>();
    QStringList list;
    QStringList offered;
    for (int i = 0; i < layers->count(); ++i) {
        list << layers->itemText(i);
        if (layers->model()->index(i, 0).flags().testFlag(Qt::ItemIsEnabled))
            offered << layers->itemText(i);
    }
    EXPECT_EQ(list.join(QLatin1Char(' ')),
              QStringLiteral("Encoder encoder.1 encoder.3 encoder.5 Decoder decoder.1 decoder.3"));
    EXPECT_EQ(offered.join(QLatin1Char(' ')),
              QStringLiteral("encoder.1 encoder.3 encoder.5 decoder.1 decoder.3"));
    EXPECT_EQ(charts.layer(), QStringLiteral("encoder.1"));
    for (int i = 0; i < 3; ++i) QTest::keyClick(layers, Qt::Key_Down);
    EXPECT_EQ(charts.layer(), QStringLiteral("decoder.1")) << "keys pass over the heading";
    EXPECT_EQ(charts.loadBars().layer(), QStringLiteral("decoder.1"));
    Q_EMIT charts.heatMap().rowChosen(4);
    EXPECT_EQ(charts.layer(), QStringLiteral("decoder.3"));
    const LineChart* entropy = charts.line(QStringLiteral("chart/entropy"));
    ASSERT_EQ(entropy->curves().size(), 3U);
    const RunMetrics& metrics = workspace.follower().metrics();
    EXPECT_EQ(entropy->curves()[1].series, metrics.find("router/encoder.*/entropy"));
    EXPECT_EQ(entropy->curves()[2].series, metrics.find("router/decoder.*/entropy"));
    EXPECT_NE(entropy->curves()[1].series->y().back(), entropy->curves()[2].series->y().back());
    EXPECT_EQ(charts.line(QStringLiteral("chart/throughput"))->curves()[0].series,
              metrics.find(metric::kTokenThroughput));
    EXPECT_TRUE(charts.samplePanel().isVisible());
    EXPECT_TRUE(charts.samplePanel().stepText().contains(QStringLiteral("10 of 10")));
}

TEST_F(Workspace, OneStackHasNoHeadings) {
    open({});
    RunCharts& charts = workspace.charts();
    EXPECT_TRUE(charts.heatMap().groups().isEmpty());
    auto* layers = charts.loadBars().findChild<QComboBox*>();
    EXPECT_EQ(layers->count(), 3);
    EXPECT_EQ(layers->itemText(0), QStringLiteral("encoder.3"));
    EXPECT_FALSE(charts.samplePanel().isVisible()) << "an image run has no samples";
}

TEST_F(Workspace, PointingAtAStepShowsTheLoadOfThatStep) {
    open({});
    RunCharts& charts = workspace.charts();
    Q_EMIT charts.line(QStringLiteral("chart/loss"))->cursorMoved(52);
    const LoadHistory& history = workspace.follower().metrics().loads("encoder.3");
    EXPECT_EQ(charts.loadBars().loads(), history.at(50));
    Q_EMIT charts.line(QStringLiteral("chart/loss"))->cursorMoved(std::nan(""));
    EXPECT_EQ(charts.loadBars().loads(), history.last());
}

TEST_F(Workspace, AnAlarmLeadsToItsLayerAndStep) {
    open({});
    auto* alarms = workspace.runPanel().findChild<QListView*>();
    ASSERT_EQ(alarms->model()->rowCount(), 1);
    const QRect row = alarms->visualRect(alarms->model()->index(0, 0));
    QTest::mouseClick(alarms->viewport(), Qt::LeftButton, {}, row.center());
    EXPECT_EQ(workspace.charts().layer(), QStringLiteral("encoder.5"));
    EXPECT_EQ(workspace.charts().loadBars().loads(),
              workspace.follower().metrics().loads("encoder.5").at(250));
}

TEST_F(Workspace, OrdersReachTheControlFile) {
    const auto lock = [&] {
        testing::writeRun(folder, unfinished());
        return core::FileLock::tryLock(folder / "run.lock");
    }();
    open(unfinished());
    ASSERT_TRUE(waitFor([&] { return workspace.isTraining(); }));
    EXPECT_EQ(pill(), QStringLiteral("Running"));
    for (const char* name : {"run/pause", "run/checkpoint", "run/stop-and-save", "run/stop"}) {
        ASSERT_TRUE(button(name).isEnabled()) << name;
        EXPECT_FALSE(button(name).toolTip().isEmpty()) << name;
        QTest::mouseClick(&button(name), Qt::LeftButton);
    }
    core::OrderReader reader(folder / "control.jsonl", 0);
    for (const char* expected : {"pause", "checkpoint", "stop-and-save", "stop"}) {
        const auto order = reader.next();
        ASSERT_TRUE(order.has_value());
        EXPECT_EQ(order->command, expected);
    }
}

TEST_F(Workspace, APausedRunOffersResume) {
    testing::writeRun(folder, unfinished());
    const auto lock = core::FileLock::tryLock(folder / "run.lock");
    open(unfinished());
    std::ofstream(folder / "events.jsonl", std::ios::app)
        << core::toJsonLine({0, 300, core::StateEvent{"paused"}}) << "\n";
    ASSERT_TRUE(waitFor([&] { return pill() == QStringLiteral("Paused"); }));
    EXPECT_EQ(button("run/pause").text(), QStringLiteral("Resume"));
    QTest::mouseClick(&button("run/pause"), Qt::LeftButton);
    core::OrderReader reader(folder / "control.jsonl", 0);
    EXPECT_EQ(reader.next()->command, "resume");
}

TEST_F(Workspace, ACrashSaysWhereAndOffersResume) {
    open(unfinished());
    EXPECT_EQ(pill(), QStringLiteral("Crashed"));
    EXPECT_TRUE(panelNotice().message().contains(QStringLiteral("step 300")))
        << panelNotice().message().toStdString();
    EXPECT_TRUE(button("run/resume").isVisible());
    EXPECT_FALSE(button("run/pause").isVisible());
    EXPECT_EQ(workspace.runPanel().findChild<QListView*>()->model()->rowCount(), 1);
}

TEST_F(Workspace, ATrainersErrorIsShownInItsWords) {
    testing::writeRun(folder, unfinished());
    std::ofstream(folder / "events.jsonl", std::ios::app)
        << core::toJsonLine({0, 300, core::ErrorEvent{"disk-full", "no space left", "make room"}})
        << "\n";
    workspace.openRun(QString::fromStdString(folder.string()));
    ASSERT_TRUE(waitFor([&] { return pill() == QStringLiteral("Failed"); }));
    EXPECT_EQ(panelNotice().message(), QStringLiteral("no space left"));
}

TEST_F(Workspace, ATrainerThatCannotBeginIsSaid) {
    testing::RecordedRun run;
    run.done = 0;
    testing::writeRun(folder, run);
    core::writeTextFile(folder / "events.jsonl", "");
    workspace.openRun(QString::fromStdString(folder.string()));
    ASSERT_TRUE(waitFor([&] { return workspace.follower().isCaughtUp(); }));
    EXPECT_EQ(pill(), QStringLiteral("Not started"));
    QTest::mouseClick(&button("run/resume"), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return !panelNotice().message().isEmpty(); }));
    EXPECT_TRUE(button("run/resume").isVisible());
}

TEST_F(Workspace, HiddenItDrawsNothing) {
    open({});
    workspace.hide();
    LineChart* loss = workspace.charts().line(QStringLiteral("chart/loss"));
    const int before = loss->redraws();
    Q_EMIT workspace.follower().changed();
    QTest::qWait(300);
    EXPECT_EQ(loss->redraws(), before);
    workspace.show();
    EXPECT_TRUE(waitFor([&] { return loss->redraws() > before; }));
}

TEST_F(Workspace, AnotherRunLeavesNothingOfTheFirst) {
    open({});
    testing::RecordedRun dense;
    dense.steps = dense.done = 20;
    dense.layers = 0;
    folder = core::Path(place.path().toStdString()) / "dense";
    open(dense);
    RunCharts& charts = workspace.charts();
    EXPECT_EQ(charts.line(QStringLiteral("chart/loss"))->curves()[0].series->size(), 20U);
    EXPECT_TRUE(charts.loadBars().isEmpty());
    EXPECT_TRUE(charts.heatMap().isEmpty());
    EXPECT_TRUE(charts.line(QStringLiteral("chart/unrouted"))->isEmpty());
}

TEST_F(Workspace, EverythingThatTakesTheFocusHasAName) {
    open(unfinished());
    int checked = 0;
    for (const QWidget* widget : workspace.findChildren<QWidget*>()) {
        const bool tabStop = (widget->focusPolicy() & Qt::TabFocus) != 0;
        if (!tabStop || widget->window() != &workspace || widget->focusProxy() != nullptr) continue;
        if (qobject_cast<const QScrollArea*>(widget) || qobject_cast<const QScrollBar*>(widget)) {
            continue;
        }
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const bool inside = qobject_cast<const QLineEdit*>(widget) != nullptr &&
                            !widget->parentWidget()->accessibleName().isEmpty();
        const bool named =
            !widget->accessibleName().isEmpty() || (button != nullptr && !button->text().isEmpty());
        EXPECT_TRUE(named || inside)
            << widget->metaObject()->className() << " " << widget->objectName().toStdString();
        ++checked;
    }
    EXPECT_GE(checked, 40);
}

TEST_F(Workspace, SaysWhichFamiliesAreTrained) {
    const core::test::TemporaryFolder llama;
    const std::string tensor = R"({"dtype":"F32","shape":[2,2],"data_offsets":[)";
    const std::string header = R"({"model.embed_tokens.weight":)" + tensor +
                               R"(0,16]},"model.layers.0.self_attn.q_proj.weight":)" + tensor +
                               R"(16,32]},"model.layers.0.mlp.up_proj.weight":)" + tensor +
                               R"(32,48]}})";
    core::test::writeBytes(llama / "model.safetensors",
                           core::test::safetensorsBytes(header, std::string(48, '\0')));
    core::test::writeBytes(llama / "config.json", R"({"model_type": "llama"})");
    document.open(QString::fromStdString(llama.path().string()));
    ASSERT_TRUE(waitFor([&] { return document.hasModel(); }));
    const auto* page = workspace.findChild<JobPage*>();
    ASSERT_NE(page, nullptr);
    EXPECT_TRUE(waitFor([&] {
        return page->findChild<Notice*>()->message().contains(
            QStringLiteral("Vision Transformers and T5 only"));
    }));
    EXPECT_FALSE(button("job/train").isEnabled());
}

}  // namespace
}  // namespace ui
