// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/opened_window.h"
#include "tests/ui/recorded_run.h"
#include "ui/canvas/canvas_view.h"
#include "ui/charts/chart_widget.h"
#include "ui/surgery/cost_bar.h"
#include "ui/train/train_workspace.h"
#include "ui/widgets/message_bar.h"
#include "ui/window/demo_files.h"
#include "ui/window/main_window.h"
#include "ui/window/model_workspace.h"
#include "ui/window/start_page.h"
#include "ui/window/translations.h"

#include <QDir>
#include <QDropEvent>
#include <QFile>
#include <QLabel>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>

namespace ui {
namespace {

class WindowTest : public testing::OpenedWindow {
  protected:
    bool isStarting() { return window.findChild<StartPage*>()->isVisible(); }
    void dropPaths(const QStringList& paths) {
        QMimeData data;
        QList<QUrl> urls;
        for (const QString& path : paths) urls << QUrl::fromLocalFile(path);
        data.setUrls(urls);
        QDropEvent drop(QPointF(400, 300), Qt::CopyAction, &data, Qt::LeftButton, {});
        static_cast<QObject&>(window).event(&drop);  // no drag is under way that notify() could ask
    }
};

TEST_F(WindowTest, StartsEmptyAndShowsTheModelOnceOpen) {
    EXPECT_TRUE(isStarting());
    EXPECT_FALSE(window.findChild<CostBar*>()->isVisible());
    EXPECT_FALSE(window.findChild<QAction*>(QStringLiteral("file.export"))->isEnabled());
    fileAnswer = file("dense");
    trigger("file.openFolder");
    ASSERT_TRUE(QTest::qWaitFor([this] { return window.document().hasModel(); }, 30'000));
    EXPECT_FALSE(isStarting());
    EXPECT_TRUE(window.findChild<CostBar*>()->isVisible());
    EXPECT_TRUE(window.findChild<QAction*>(QStringLiteral("file.export"))->isEnabled());
    EXPECT_EQ(window.windowTitle(), QStringLiteral("dense[*] – Upcycler"));
    trigger("file.close");
    EXPECT_TRUE(isStarting());
    EXPECT_FALSE(window.findChild<CostBar*>()->isVisible());
}

TEST_F(WindowTest, AFailedOpenIsSaidInTheMessageBar) {
    window.openPath(file("missing.safetensors"));
    ASSERT_TRUE(QTest::qWaitFor([this] { return !window.messages().message().isEmpty(); }, 30'000));
    EXPECT_TRUE(window.messages().message().contains(QStringLiteral("missing.safetensors")));
    EXPECT_FALSE(window.messages().hint().isEmpty());
    EXPECT_TRUE(isStarting());
    openDense();
    EXPECT_TRUE(window.messages().message().isEmpty());
}

TEST_F(WindowTest, AsksForTheHeadsThatNoFileSays) {
    std::filesystem::remove(place() / "dense" / "config.json");
    window.openPath(file("dense"));
    ASSERT_TRUE(QTest::qWaitFor([this] { return asked == 1; }, 30'000));
    EXPECT_FALSE(window.document().isOpening()) << "cancelled";
    EXPECT_TRUE(isStarting());
    headsAnswer = 2;
    openDense();
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(window.document().model().spec.vit.heads, 2);
}

TEST_F(WindowTest, SaysWhatTheReaderFound) {
    const QString vit = QStringLiteral(UPCYCLER_SOURCE_DIR) +
                        QStringLiteral("/tests/reference/layout/google_vit_old.npz");
    window.openPath(vit);
    ASSERT_TRUE(QTest::qWaitFor([this] { return window.document().hasModel(); }, 30'000));
    EXPECT_EQ(window.document().model().spec.vit.heads, 3);
    EXPECT_TRUE(window.findChild<MessageBar*>()->message().startsWith(
        QStringLiteral("There is a layer pre_logits")))
        << window.findChild<MessageBar*>()->message().toStdString();
}

TEST_F(WindowTest, TitleAndUndoFollowThePlan) {
    openDense();
    EXPECT_FALSE(window.isWindowModified());
    window.editor().applyPreset({core::Preset::All, 0});
    EXPECT_TRUE(window.isWindowModified());
    EXPECT_TRUE(window.findChild<QAction*>(QStringLiteral("edit.undo"))->isEnabled());
    trigger("edit.undo");
    EXPECT_FALSE(window.isWindowModified());
    trigger("edit.redo");
    EXPECT_EQ(window.document().plan().layers.size(), 4U);
    fileAnswer = file("my.json");
    trigger("file.savePlan");
    EXPECT_FALSE(window.isWindowModified());
    EXPECT_EQ(window.windowTitle(), QStringLiteral("dense · my.json[*] – Upcycler"));
    EXPECT_TRUE(QFile::exists(fileAnswer));
}

TEST_F(WindowTest, MenusSelectAndSwitch) {
    openDense();
    trigger("edit.selectMlps");
    EXPECT_EQ(window.document().selectedMlps().size(), 4U);
    trigger("edit.makeMoe");
    EXPECT_EQ(window.document().plan().layers.size(), 4U);
    trigger("edit.selectNone");
    EXPECT_TRUE(window.document().selection().empty());
    trigger("edit.selectMoes");
    trigger("edit.makeDense");
    EXPECT_TRUE(window.document().plan().layers.empty());
}

TEST_F(WindowTest, UnsavedPlansAreAskedAbout) {
    openDense();
    window.editor().applyPreset({core::Preset::All, 0});
    unsavedAnswer = Prompts::Unsaved::Cancel;
    EXPECT_FALSE(window.close());
    EXPECT_EQ(asked, 1);
    window.openPath(file("dense"));
    EXPECT_EQ(asked, 2);
    EXPECT_FALSE(window.document().isOpening());
    unsavedAnswer = Prompts::Unsaved::Save;
    fileAnswer = file("kept.json");
    EXPECT_TRUE(window.close());
    EXPECT_TRUE(QFile::exists(fileAnswer));
}

TEST_F(WindowTest, DropsOpenModelsAndPlans) {
    openDense();
    window.editor().applyPreset({core::Preset::LastHalf, 0});
    const core::SurgeryPlan plan = window.document().plan();
    ASSERT_TRUE(window.document().savePlan(file("p.json")));
    trigger("file.close");
    dropPaths({file("dense"), file("p.json")});
    ASSERT_TRUE(QTest::qWaitFor(
        [&] { return window.document().hasModel() && window.document().plan() == plan; }, 30'000));
    trigger("file.close");
    dropPaths({file("p.json")});
    EXPECT_TRUE(window.messages().message().contains(QStringLiteral("p.json")));
}

TEST_F(WindowTest, ThePresetOfTheCommandLineWaitsForTheModel) {
    window.applyPresetWhenOpened({core::Preset::Paper, 0});
    openDense();
    EXPECT_EQ(window.document().plan().layers.size(), 2U);
    EXPECT_EQ(window.document().selection().size(), 2U);
}

TEST_F(WindowTest, RecentFilesAreOfferedAgain) {
    openDense();
    const auto texts = [this] {
        QStringList found;
        for (const QMenu* menu : window.findChildren<QMenu*>())
            for (const QAction* action : menu->actions()) found << action->text();
        return found;
    };
    EXPECT_TRUE(texts().contains(file("dense")));
    RecentFiles recent(nullptr);
    EXPECT_EQ(recent.paths().front(), file("dense"));
    for (int i = 0; i < 20; ++i) recent.add(QStringLiteral("/tmp/m%1").arg(i));
    recent.add(QStringLiteral("/tmp/m15"));
    EXPECT_EQ(recent.paths().size(), 10);
    EXPECT_EQ(recent.paths().front(), QStringLiteral("/tmp/m15"));
    EXPECT_EQ(recent.paths().count(QStringLiteral("/tmp/m15")), 1);
}

TEST_F(WindowTest, TheNextSessionHasWhatThisOneHad) {
    openDense();
    window.editor().applyPreset({core::Preset::LastHalf, 0});
    ASSERT_TRUE(window.document().savePlan(file("p.json")));
    window.resize(1100, 720);  // more than it needs with a model and a plan
    const QSize size = window.size();
    testing::writeRun(place() / "run", {});
    window.openPath(file("run"));
    ASSERT_TRUE(
        QTest::qWaitFor([this] { return !window.trainWorkspace().runPath().isEmpty(); }, 30'000));
    ASSERT_TRUE(window.close());
    MainWindow next(theme, prompts());
    next.restoreSession();
    ASSERT_TRUE(QTest::qWaitFor([&] { return next.document().hasModel(); }, 30'000));
    EXPECT_TRUE(next.document().plan() == window.document().plan());
    ASSERT_TRUE(
        QTest::qWaitFor([&] { return !next.trainWorkspace().runPath().isEmpty(); }, 30'000));
    EXPECT_EQ(next.trainWorkspace().runPath(), window.trainWorkspace().runPath());
    EXPECT_TRUE(next.findChild<QAbstractButton*>(QStringLiteral("rail.train"))->isChecked());
    EXPECT_EQ(next.size(), size);
}

TEST_F(WindowTest, NothingThatIsShownAsksForMoreThanASmallScreen) {
    constexpr QSize kSmallScreen(1024, 700);
    const auto expectSmall = [&] {
        QTest::qWait(30);
        EXPECT_LE(window.minimumSizeHint().width(), kSmallScreen.width());
        EXPECT_LE(window.minimumSizeHint().height(), kSmallScreen.height());
    };
    expectSmall();
    QDir(folder.path()).rename(QStringLiteral("dense"), QString(120, QLatin1Char('n')));
    window.openPath(folder.filePath(QString(120, QLatin1Char('n'))));
    ASSERT_TRUE(QTest::qWaitFor([this] { return window.document().hasModel(); }, 30'000));
    window.editor().applyPreset({core::Preset::All, 0});
    window.editor().setExperts(999);
    for (const auto workspace :
         {MainWindow::ModelTab, MainWindow::TrainTab, MainWindow::CompareTab}) {
        window.showWorkspace(workspace);
        expectSmall();
    }
}

TEST_F(WindowTest, TheChartThatIsShownIsExported) {
    QAction* action = window.findChild<QAction*>(QStringLiteral("file.exportChart"));
    EXPECT_FALSE(action->isEnabled());
    testing::writeRun(place() / "run", {});
    window.openPath(file("run"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return action->isEnabled(); }, 30'000));
    ASSERT_TRUE(QTest::qWaitFor(
        [this] { return !window.trainWorkspace().currentChart()->isEmpty(); }, 30'000));
    fileAnswer = file("chart");
    action->trigger();
    EXPECT_TRUE(QFile::exists(file("chart.svg")));
    fileAnswer = file("chart.csv");
    action->trigger();
    QFile table(fileAnswer);
    ASSERT_TRUE(table.open(QIODevice::ReadOnly));
    EXPECT_EQ(table.readAll(), window.trainWorkspace().currentChart()->csv());
    fileAnswer = file("chart.odt");
    action->trigger();
    EXPECT_TRUE(window.messages().message().contains(QStringLiteral("chart.odt")));
}

TEST_F(WindowTest, NoTextLeavesThePluralToTheReader) {
    installTranslations(*qApp);
    openDense();
    for (const core::Preset preset : {core::Preset::Last, core::Preset::All}) {
        window.editor().applyPreset({preset, 1});
        for (const auto workspace : {MainWindow::TrainTab, MainWindow::ModelTab}) {
            window.showWorkspace(workspace);
            QCoreApplication::processEvents();
            for (const QLabel* label : window.findChildren<QLabel*>())
                EXPECT_FALSE(label->text().contains(QStringLiteral("(s)")))
                    << label->text().toStdString();
        }
    }
}

TEST_F(WindowTest, TheThemeMenuChangesTheTheme) {
    trigger("view.theme.dark");
    EXPECT_TRUE(tokens().dark);
    trigger("view.theme.light");
    EXPECT_FALSE(tokens().dark);
}

TEST_F(WindowTest, WorkspacesAreReachedByKey) {
    for (const auto& [action, name] :
         {std::pair{"view.train", "rail.train"}, std::pair{"view.compare", "rail.compare"},
          std::pair{"view.model", "rail.model"}}) {
        trigger(action);
        EXPECT_TRUE(window.findChild<QAbstractButton*>(QString::fromLatin1(name))->isChecked());
    }
}

TEST(DemoFiles, AreFoundBesideTheSourceAndInAnInstallation) {
    const QTemporaryDir place;
    const auto make = [&](const char* path) {
        const QString full = place.filePath(QString::fromLatin1(path));
        QDir().mkpath(QFileInfo(full).path());
        EXPECT_TRUE(QFile(full).open(QIODevice::WriteOnly));
    };
    make("build/release/bin/upcycler");
    const QString bin = place.filePath(QStringLiteral("build/release/bin"));
    EXPECT_FALSE(demoCheckpointNear(bin).has_value());
    make("resources/demo/vit-fashion-mnist/config.json");
    EXPECT_FALSE(demoCheckpointNear(bin).has_value());
    make("resources/demo/vit-fashion-mnist/model.safetensors");
    EXPECT_EQ(demoCheckpointNear(bin),
              place.filePath(QStringLiteral("resources/demo/vit-fashion-mnist")));
    make("usr/share/upcycler/demo/vit-fashion-mnist/config.json");
    make("usr/share/upcycler/demo/vit-fashion-mnist/model.safetensors");
    EXPECT_EQ(demoCheckpointNear(place.filePath(QStringLiteral("usr/bin"))),
              place.filePath(QStringLiteral("usr/share/upcycler/demo/vit-fashion-mnist")));
}

}  // namespace
}  // namespace ui
