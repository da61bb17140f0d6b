// SPDX-License-Identifier: GPL-3.0-or-later
// The main job through the real widgets and the real trainer: open, preset, click, undo, train,
// watch, pause, resume, stop, export, compare.
#include "core/run/event_tail.h"
#include "core/run/run_directory.h"
#include "tests/ui/tiny_checkpoint.h"
#include "ui/canvas/canvas_view.h"
#include "ui/charts/heat_map.h"
#include "ui/charts/load_bars.h"
#include "ui/export/export_dialog.h"
#include "ui/theme/theme.h"
#include "ui/train/field.h"
#include "ui/train/job_command.h"
#include "ui/train/job_form.h"
#include "ui/train/job_page.h"
#include "ui/train/run_charts.h"
#include "ui/train/run_panel.h"
#include "ui/train/train_workspace.h"
#include "ui/window/main_window.h"
#include "ui/window/model_workspace.h"
#include "ui/window/prompts.h"

#include <gtest/gtest.h>

#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QLineEdit>
#include <QProcess>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include <memory>
#include <set>

namespace ui {
namespace {

QString name(const char* text) { return QString::fromLatin1(text); }

bool waitFor(const std::function<bool()>& condition) { return QTest::qWaitFor(condition, 60'000); }

class MainJob : public ::testing::Test {
  protected:
    MainJob() : theme(*qApp), held(std::make_unique<MainWindow>(theme, prompts())) {
        testing::placeTrainer();
        testing::writeTinyCheckpoint(dense());
        window().resize(1280, 800);
        window().show();
    }
    ~MainJob() override {
        if (held == nullptr) return;
        if (train().isTraining()) train().follower().directory().order("stop");
        waitFor([&] { return !train().isTraining(); });
    }

    Prompts prompts() {
        Prompts made = desktopPrompts();
        made.unsavedPlan = [](QWidget*, const QString&) { return Prompts::Unsaved::Discard; };
        made.closeWhileTraining = [this](QWidget*, const QString& path) {
            leftGoing << path;
            return true;
        };
        return made;
    }
    MainWindow& window() { return *held; }
    core::Path dense() const { return core::Path(place.path().toStdString()) / "dense"; }
    core::Path run() const { return core::Path(place.path().toStdString()) / "run"; }
    TrainWorkspace& train() { return window().trainWorkspace(); }
    core::RunPhase phase() { return train().follower().phase(); }
    std::int64_t step() { return train().follower().metrics().step(); }
    void click(const char* button) {
        auto* found = train().findChild<QPushButton*>(name(button));
        ASSERT_NE(found, nullptr) << button;
        ASSERT_TRUE(found->isEnabled()) << button;
        QTest::mouseClick(found, Qt::LeftButton);
    }
    std::set<std::string> plannedBlocks() {
        std::set<std::string> blocks;
        for (const auto& [block, layer] : window().document().plan().layers) blocks.insert(block);
        return blocks;
    }
    void setNumber(const char* key, int value) {
        qobject_cast<QSpinBox*>(train().jobPage().form().field(name(key))->editor())
            ->setValue(value);
    }

    void openDense() {
        window().openPath(QString::fromStdString(dense().string()));
        ASSERT_TRUE(waitFor([&] { return window().document().hasModel(); }));
    }
    void openDemo() {
        auto* button = window().findChild<QPushButton*>(name("start.demo"));
        ASSERT_NE(button, nullptr);
        QTest::mouseClick(button, Qt::LeftButton);
        ASSERT_TRUE(waitFor([&] { return window().document().hasModel(); }));
    }
    void planByPresetAndClick(const std::set<std::string>& lastHalf) {
        for (QToolButton* button : window().findChildren<QToolButton*>()) {
            if (button->text() == QStringLiteral("Paper’s preset")) {
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        ASSERT_EQ(plannedBlocks(), lastHalf);
        window().editor().setExperts(4);
        CanvasView& canvas = window().modelWorkspace().canvas();
        const QRectF cell = canvas.cellRect({"encoder.0", Part::Mlp});
        QTest::mouseClick(canvas.viewport(), Qt::LeftButton, {}, cell.center().toPoint());
        ASSERT_TRUE(plannedBlocks().contains("encoder.0"));
        window().findChild<QAction*>(QStringLiteral("edit.undo"))->trigger();
        ASSERT_EQ(plannedBlocks(), lastHalf);
    }
    /// The form as the checkpoint fills it, but small, and on made images where `data` says so.
    void fillForm(int steps,
                  const QString& data = QStringLiteral("synthetic:images=8x8x1,classes=3")) {
        window().showWorkspace(MainWindow::TrainTab);
        JobPage& page = train().jobPage();
        ASSERT_TRUE(waitFor([&] { return !page.runFolder().isEmpty(); }));
        page.form().setRunFolder(QString::fromStdString(run().string()));
        qobject_cast<QComboBox*>(page.form().field(name("data"))->editor())->setCurrentText(data);
        setNumber("steps", steps);
        setNumber("batch", 8);
        setNumber("eval_every", 0);
        setNumber("checkpoint_every", 0);
        setNumber("threads", 1);
        ASSERT_TRUE(waitFor([&] { return page.isChecked(); }));
        ASSERT_TRUE(page.verdict().ok) << page.verdict().message.toStdString();
    }

    QTemporaryDir place;
    Theme theme;
    QStringList leftGoing;  ///< runs that a closing window has said to go on
    std::unique_ptr<MainWindow> held;
};

TEST_F(MainJob, FromDenseCheckpointToTheSameModelElsewhere) {
    openDemo();
    const core::Path demo = window().document().model().path;
    planByPresetAndClick({"encoder.3", "encoder.4", "encoder.5"});
    ASSERT_TRUE(waitFor([&] { return train().jobPage().job().data == "fashion-mnist"; }));
    fillForm(1'000'000, name("fashion-mnist"));
    click("job/train");
    ASSERT_TRUE(waitFor([&] { return train().isTraining() && step() >= 30; }));

    click("run/pause");
    ASSERT_TRUE(waitFor([&] { return phase() == core::RunPhase::Paused; }));
    const std::int64_t paused = step();
    QTest::qWait(600);
    EXPECT_EQ(step(), paused);
    click("run/pause");  // says Resume now
    ASSERT_TRUE(waitFor([&] { return step() > paused; }));

    click("run/checkpoint");
    ASSERT_TRUE(waitFor([&] { return train().follower().metrics().lastCheckpoint() > 0; }));
    click("run/stop-and-save");
    ASSERT_TRUE(waitFor([&] {
        return phase() == core::RunPhase::Stopped && !train().isTraining() &&
               train().follower().isCaughtUp();
    }));
    EXPECT_EQ(train().follower().metrics().lastCheckpoint(), step());

    // The charts hold what the trainer wrote, value by value.
    const RunCharts& charts = train().charts();
    const SeriesPtr loss = charts.line(name("chart/loss"))->curves()[0].series;
    const SeriesPtr rate = charts.line(name("chart/learning-rate"))->curves()[0].series;
    core::EventTail tail(run() / "events.jsonl");
    std::size_t index = 0;
    std::vector<double> lastLoad;
    do {
        for (const core::Event& event : tail.poll().events) {
            if (const auto* one = std::get_if<core::StepEvent>(&event.what)) {
                ASSERT_LT(index, loss->size());
                ASSERT_EQ(loss->x()[index], static_cast<double>(event.step));
                ASSERT_EQ(loss->y()[index], one->loss);
                ASSERT_EQ(rate->y()[index], one->lr);
                ++index;
            } else if (const auto* routed = std::get_if<core::RouterEvent>(&event.what)) {
                if (routed->stats.block == "encoder.3") lastLoad = routed->stats.load;
            }
        }
    } while (!tail.atEnd());
    EXPECT_EQ(index, loss->size());
    EXPECT_EQ(static_cast<std::int64_t>(index), step());
    EXPECT_EQ(train().charts().loadBars().loads(), lastLoad);
    EXPECT_EQ(train().charts().heatMap().image().size(), QSize(4, 3));

    // Export, and the exported file computes the same.
    click("run/export");
    auto* dialog = window().findChild<ExportDialog*>();
    ASSERT_NE(dialog, nullptr);
    const core::Path exported = core::Path(place.path().toStdString()) / "exported";
    QSignalSpy whole(dialog, &ExportDialog::exported);
    ASSERT_TRUE(waitFor([&] { return !dialog->target().isEmpty(); }));
    dialog->setTarget(QString::fromStdString(exported.string()));
    dialog->start();
    ASSERT_TRUE(waitFor([&] { return !whole.isEmpty(); }));
    dialog->close();
    const core::Path checkpoint = core::resolveModel(run().string());
    const std::vector<float> before = testing::logitsOf(checkpoint);
    EXPECT_EQ(before.size(), 4U * 10U);
    EXPECT_EQ(testing::logitsOf(exported), before);
    EXPECT_NE(testing::logitsOf(demo), before);  // it has been trained

    // Resume goes on from the saved step.
    const std::int64_t stopped = step();
    click("run/resume");
    ASSERT_TRUE(waitFor([&] { return train().isTraining() && step() > stopped; }));
    EXPECT_EQ(train().follower().metrics().hello()->resumedFrom, stopped);
    click("run/stop");
    ASSERT_TRUE(
        waitFor([&] { return phase() == core::RunPhase::Stopped && !train().isTraining(); }));
}

TEST_F(MainJob, ClosingTheWindowLeavesTheRunGoing) {
    openDense();
    planByPresetAndClick({"encoder.2", "encoder.3"});
    fillForm(1'000'000);
    click("job/train");
    ASSERT_TRUE(waitFor([&] { return train().isTraining() && step() >= 5; }));
    const core::RunDirectory directory = train().follower().directory();
    const QString path = QString::fromStdString(run().string());
    ASSERT_TRUE(window().close());
    EXPECT_EQ(leftGoing, QStringList{path});
    held.reset();
    const std::int64_t before = directory.status().step;
    ASSERT_TRUE(waitFor([&] { return directory.status().step > before; }));
    EXPECT_TRUE(directory.status().alive);
    held = std::make_unique<MainWindow>(theme, prompts());
    window().show();
    window().openPath(path);
    ASSERT_TRUE(waitFor([&] { return train().isTraining() && step() >= 10; }));
    click("run/stop");
    ASSERT_TRUE(waitFor([&] { return !directory.status().alive; }));
}

TEST_F(MainJob, TheFirstRunMakesTheFolderOfTheRuns) {
    openDense();
    fillForm(1'000'000);
    const core::Path first = run().parent_path() / "runs" / "first";
    JobPage& page = train().jobPage();
    page.form().setRunFolder(QString::fromStdString(first.string()));
    ASSERT_TRUE(waitFor([&] { return page.isChecked(); }));
    click("job/train");
    ASSERT_TRUE(waitFor([&] { return train().isTraining() && step() >= 1; }));
    EXPECT_EQ(train().runPath(), QString::fromStdString(first.string()));
    click("run/stop");
    ASSERT_TRUE(waitFor([&] { return !train().isTraining(); }));
}

TEST_F(MainJob, ShownCommandsMakeTheSameJob) {
    openDense();
    planByPresetAndClick({"encoder.2", "encoder.3"});
    fillForm(40);
    const core::JobSpec job = train().jobPage().job();
    std::vector<QStringList> commands = jobCommands(job, core::defaultJob(dense()), run());
    ASSERT_EQ(commands.size(), 3U);
    for (QStringList& words : commands) {
        if (words[1] == QStringLiteral("train")) continue;
        QProcess process;
        process.start(QStringLiteral(UPCYCLER_BIN_DIR "/upcycle"), words.mid(1));
        ASSERT_TRUE(process.waitForFinished(60'000));
        ASSERT_EQ(process.exitCode(), 0) << process.readAllStandardError().toStdString();
    }
    EXPECT_EQ(core::toJson(core::RunDirectory::open(run()).job()), core::toJson(job));
}

constexpr const char* kT5Config = R"({"architectures": ["T5ForConditionalGeneration"],
 "model_type": "t5", "is_encoder_decoder": true, "d_model": 16, "d_kv": 6, "num_heads": 2, "d_ff": 24,
 "num_layers": 2, "num_decoder_layers": 2, "vocab_size": 1100, "feed_forward_proj": "gated-gelu",
 "tie_word_embeddings": false, "dropout_rate": 0.1, "layer_norm_epsilon": 1e-6, "pad_token_id": 0,
 "eos_token_id": 1, "decoder_start_token_id": 0})";

void expectCommand(const QStringList& words) {
    QProcess process;
    process.start(QStringLiteral(UPCYCLER_BIN_DIR "/upcycle"), words);
    ASSERT_TRUE(process.waitForFinished(60'000));
    ASSERT_EQ(process.exitCode(), 0) << process.readAllStandardError().toStdString();
}

TEST_F(MainJob, AT5IsUpcycledAndTrainedOnATextFile) {
    const QString source =
        QStringLiteral("text:" UPCYCLER_SOURCE_DIR "/LICENSES/GPL-3.0-or-later.txt");
    const QString tokenizer = QStringLiteral(
        UPCYCLER_SOURCE_DIR "/tests/core/data/fixtures/tokenizer/bytes/spiece.model");
    const QString start = place.filePath(name("start"));
    core::writeTextFile(core::Path(place.filePath(name("config.json")).toStdString()), kT5Config);
    expectCommand({name("new"), start, name("--model"),
                   name("scratch:") + place.filePath(name("config.json")), name("--data"), source,
                   name("--tokenizer"), tokenizer, name("--steps"), name("1"), name("--batch"),
                   name("2"), name("--set"), name("text.inputs_length=48"), name("--set"),
                   name("eval_examples=2")});
    expectCommand({name("train"), start});
    const core::Path model = core::resolveModel(start.toStdString());
    window().openPath(QString::fromStdString(model.string()));
    ASSERT_TRUE(waitFor([&] { return window().document().hasModel(); }));
    window().editor().applyPreset({core::Preset::Paper, 0});
    window().editor().setExperts(3);
    window().showWorkspace(MainWindow::TrainTab);
    JobPage& page = train().jobPage();
    JobForm& form = page.form();
    ASSERT_TRUE(waitFor([&] { return page.job().objective == core::Objective::SpanCorruption; }));
    EXPECT_TRUE(form.field(name("text.tokenizer"))->isVisible());
    EXPECT_TRUE(qobject_cast<QLineEdit*>(form.field(name("text.tokenizer"))->editor())
                    ->placeholderText()
                    .contains(name("beside the model")));
    fillForm(4, source);
    setNumber("text.inputs_length", 40);
    for (const auto& [key, value] :
         {std::pair{"text.noise_density", "0.2"}, std::pair{"text.mean_span_length", "2.5"},
          std::pair{"loss.logit_z", "0.001"}, std::pair{"dropout", "0.05"}})
        qobject_cast<QLineEdit*>(form.field(name(key))->editor())->setText(name(value));
    ASSERT_TRUE(waitFor([&] { return page.isChecked(); }));
    ASSERT_TRUE(page.verdict().ok) << page.verdict().message.toStdString();
    EXPECT_LE(window().minimumSizeHint().height(), 700);
    const core::JobSpec job = page.job();
    const core::Path shown = run().parent_path() / "shown";
    const std::vector<QStringList> commands = jobCommands(job, core::defaultJob(model), shown);
    for (const QStringList& words : commands)
        if (words[1] != QStringLiteral("train")) expectCommand(words.mid(1));
    EXPECT_EQ(core::toJson(core::RunDirectory::open(shown).job()), core::toJson(job));
    click("job/train");
    ASSERT_TRUE(waitFor([&] { return step() >= 4 && !train().isTraining(); }));
    EXPECT_EQ(phase(), core::RunPhase::Finished);
    EXPECT_EQ(core::RunDirectory::open(run()).job().text.inputsLength, 40);
    EXPECT_EQ(core::RunDirectory::open(run()).job().text.corruption.meanSpanLength, 2.5);
    EXPECT_EQ(core::RunDirectory::open(run()).job().trainer.dropout, 0.05F);
}

TEST_F(MainJob, AProblemOfTheJobStandsUnderItsField) {
    openDense();
    fillForm(10);
    JobPage& page = train().jobPage();
    qobject_cast<QComboBox*>(page.form().field(name("data"))->editor())
        ->setCurrentText(QStringLiteral("images:/no/such/folder"));
    ASSERT_TRUE(waitFor([&] { return page.isChecked() && !page.verdict().ok; }));
    EXPECT_TRUE(page.form().field(name("data"))->message().contains(name("/no/such/folder")));
    EXPECT_FALSE(train().findChild<QPushButton*>(name("job/train"))->isEnabled());
}

}  // namespace
}  // namespace ui
