// SPDX-License-Identifier: GPL-3.0-or-later
// Two checkpoints beside each other: what is told, listed, drawn, and how it is reached.
#include "ui/compare/checkpoint_comparison.h"

#include "core/surgery/convert.h"
#include "core/surgery/plan.h"
#include "tests/ui/opened_window.h"
#include "ui/compare/change_model.h"
#include "ui/compare/compare_modes.h"
#include "ui/compare/cosine_map.h"
#include "ui/widgets/copy_table.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/message_bar.h"

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QToolButton>
#include <QUrl>

#include <cmath>
#include <limits>

namespace ui {
namespace {

TEST(ChangeModel, SortsByValueAndCopiesExactNumbers) {
    ChangeModel model(nullptr);
    const QAbstractItemModelTester tester(&model,
                                          QAbstractItemModelTester::FailureReportingMode::Fatal);
    using Kind = core::TensorChange::Kind;
    model.setChanges(
        {{"a", Kind::Added, "F32 [2]", 0, 0},
         {"b", Kind::Changed, "up to 0.125", 0.125, std::numeric_limits<double>::infinity()},
         {"c", Kind::Retyped, "F32 -> F16", 1e-4, 1.0 / 3}});
    const auto text = [&](int row, int column, int role = Qt::DisplayRole) {
        return model.index(row, column).data(role).toString();
    };
    EXPECT_EQ(text(0, ChangeModel::Kind), QStringLiteral("Added"));
    EXPECT_EQ(text(0, ChangeModel::Relative), QString());
    EXPECT_EQ(text(1, ChangeModel::Relative), QStringLiteral("∞"));
    EXPECT_EQ(text(1, ChangeModel::Detail), QString());
    EXPECT_EQ(text(2, ChangeModel::Relative), QStringLiteral("0.333"));
    EXPECT_EQ(text(2, ChangeModel::Relative, CopyTable::kCopyRole), QStringLiteral("0.333333333"));
    EXPECT_GT(model.index(2, ChangeModel::Relative).data(ChangeModel::kSortRole).toDouble(),
              model.index(0, ChangeModel::Relative).data(ChangeModel::kSortRole).toDouble());
}

core::ExpertCosines cosines(std::vector<std::vector<double>> pairwise,
                            std::vector<double> reference = {}) {
    core::ExpertCosines made;
    made.block = "encoder.3";
    made.pairwise = std::move(pairwise);
    if (!reference.empty()) made.reference = core::ExpertCosines::Reference::Dense;
    made.toReference = std::move(reference);
    return made;
}

TEST(CosineMap, TheScaleReachesJustBelowTheLeast) {
    CosineMap map;
    EXPECT_TRUE(map.isEmpty());
    map.setCosines(cosines({{1, 0.9996}, {0.9996, 1}}));
    EXPECT_NEAR(map.floor(), 0.9995, 1e-12);
    map.setCosines(cosines({{1, 0.26}, {0.26, 1}}));
    EXPECT_EQ(map.floor(), 0);
    map.setCosines(cosines({{1, -0.1}, {-0.1, 1}}));
    EXPECT_EQ(map.floor(), -1);
    map.setCosines(cosines({{1, 1}, {1, 1}}));
    EXPECT_EQ(map.floor(), 0);
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    map.setCosines(cosines({{kNan, kNan}, {kNan, kNan}}));
    EXPECT_EQ(map.floor(), 0);
}

TEST(CosineMap, CellsAreReadByPointerAndKeys) {
    CosineMap map;
    map.resize(520, 480);
    map.show();
    map.setCosines(cosines({{1, 0.5}, {0.5, 1}}, {0.75, 0.25}));
    map.setFocus();
    QTest::keyClick(&map, Qt::Key_Right);
    EXPECT_EQ(map.accessibleDescription(), QStringLiteral("experts 0 and 1: 0.50000"));
    QTest::keyClick(&map, Qt::Key_Left);
    QTest::keyClick(&map, Qt::Key_Left);
    QTest::keyClick(&map, Qt::Key_Down);
    EXPECT_EQ(map.accessibleDescription(), QStringLiteral("expert 1 and the dense MLP: 0.25000"));
    std::set<std::pair<int, int>> seen;
    for (int y = 0; y < map.height(); y += 3)
        for (int x = 0; x < map.width(); x += 3)
            if (const auto cell = map.cellAt(QPoint(x, y))) seen.insert({cell->row, cell->column});
    EXPECT_EQ(seen.size(), 6U);
    EXPECT_EQ(map.csv().count('\n'), 7);
    EXPECT_TRUE(map.csv().contains("encoder.3,1,A,0.25\n"));
}

class CheckpointComparisonTest : public testing::OpenedWindow {
  protected:
    CheckpointComparisonTest() {
        const auto dense = core::Checkpoint::open(place() / "dense");
        core::SurgeryPlan plan;
        for (const char* block : {"encoder.1", "encoder.3"}) {
            core::LayerPlan& layer = plan.layers[block];
            layer.moe.experts = 4;
            layer.experts = {core::ExpertInit::Kind::Noise, 0.1};
        }
        const std::atomic<bool> cancel{false};
        core::convertCheckpoint(*dense, plan, place() / "moe", {}, {}, cancel);
    }
    CheckpointComparison& page() { return window.checkpointComparison(); }
    void waitForIt() {
        ASSERT_TRUE(QTest::qWaitFor([this] { return !page().isBusy(); }, 30'000));
    }
    CopyTable& table() { return *window.findChild<CopyTable*>(QStringLiteral("comparison.table")); }
};

TEST_F(CheckpointComparisonTest, TellsListsAndDrawsWhatTheEngineFinds) {
    window.compareCheckpoints(file("dense"), file("moe"));
    waitForIt();
    const std::atomic<bool> cancel{false};
    const core::CheckpointDiff diff = core::diffCheckpoints(
        *core::Checkpoint::open(place() / "dense"), *core::Checkpoint::open(place() / "moe"),
        {.experts = true}, {}, cancel);
    ASSERT_EQ(diff.experts.size(), 2U);
    EXPECT_TRUE(page().story().startsWith(QStringLiteral("Block")));
    EXPECT_EQ(page().story().count(QLatin1Char('\n')) + 1,
              static_cast<qsizetype>(diff.story.size()));
    EXPECT_EQ(page().model().changes().size(), diff.changes.size());
    const auto* blocks = page().map().findChild<QComboBox*>();
    ASSERT_EQ(blocks->count(), 2);
    EXPECT_EQ(blocks->itemText(1), QStringLiteral("encoder.3"));
    const double first = diff.experts[0].pairwise[0][2];
    EXPECT_EQ(page().map().cellText({0, 2}),
              QStringLiteral("experts 0 and 2: %1").arg(QLocale().toString(first, 'f', 5)));
    EXPECT_EQ(page().currentChart(), &page().map());
}

TEST_F(CheckpointComparisonTest, FiltersByKindAndName) {
    window.compareCheckpoints(file("dense"), file("moe"));
    waitForIt();
    auto* filter = window.findChild<QLineEdit*>(QStringLiteral("comparison.filter"));
    QTest::keyClicks(filter, QStringLiteral("removed*layer.1."));
    EXPECT_EQ(table().model()->rowCount(), 4);
    EXPECT_TRUE(table().isColumnHidden(ChangeModel::Relative));  // nothing changed its values
}

TEST_F(CheckpointComparisonTest, TwoOnTheCommandLineAreComparedAndTheFirstIsOpened) {
    window.openPaths({file("dense"), file("moe")});
    waitForIt();
    ASSERT_TRUE(QTest::qWaitFor([this] { return window.document().hasModel(); }, 30'000));
    EXPECT_EQ(window.document().model().name(), QStringLiteral("dense"));
    EXPECT_EQ(window.compareModes().mode(), CompareModes::Checkpoints);
    EXPECT_TRUE(page().isVisible());
    EXPECT_EQ(page().a(), file("dense"));
    EXPECT_EQ(page().b(), file("moe"));
}

TEST_F(CheckpointComparisonTest, CompareWithTakesTheOpenedOneAsA) {
    openDense();
    fileAnswer = file("moe");
    trigger("file.compareWith");
    waitForIt();
    EXPECT_EQ(page().a(), file("dense"));
    EXPECT_FALSE(page().story().isEmpty());
    window.findChild<QToolButton*>(QStringLiteral("compare.runs"))->click();
    EXPECT_FALSE(page().isVisible());
}

TEST_F(CheckpointComparisonTest, DropsFillTheSidesInTurn) {
    const auto drop = [this](const QStringList& paths) {
        QMimeData data;
        QList<QUrl> urls;
        for (const QString& path : paths) urls << QUrl::fromLocalFile(path);
        data.setUrls(urls);
        QDropEvent event(QPointF(5, 5), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        static_cast<QObject&>(page()).event(&event);  // no drag that notify() could ask
    };
    drop({file("dense")});
    EXPECT_EQ(page().a(), file("dense"));
    EXPECT_TRUE(page().b().isEmpty());
    EXPECT_FALSE(page().isBusy());
    drop({file("moe")});
    EXPECT_EQ(page().b(), file("moe"));
    waitForIt();
    drop({file("moe"), file("dense")});
    EXPECT_EQ(page().a(), file("moe"));
    waitForIt();
    EXPECT_TRUE(page().story().contains(QStringLiteral("became dense")));
}

TEST_F(CheckpointComparisonTest, AFileThatIsNoCheckpointIsABar) {
    window.compareCheckpoints(file("dense"), file("missing"));
    waitForIt();
    EXPECT_TRUE(window.messages().message().contains(QStringLiteral("missing")));
    EXPECT_EQ(page().currentChart(), nullptr);
    window.compareCheckpoints(file("dense"), file("moe"));
    waitForIt();
    EXPECT_FALSE(window.messages().isVisible());
}

TEST_F(CheckpointComparisonTest, StopEndsItAndAgainBegins) {
    window.compareCheckpoints(file("dense"), file("moe"));
    window.findChild<QPushButton*>(QStringLiteral("comparison.stop"))->click();
    EXPECT_FALSE(page().isBusy());
    QTest::qWait(50);
    EXPECT_TRUE(page().story().isEmpty());
    EXPECT_TRUE(window.findChild<EmptyState*>(QStringLiteral("comparison.empty"))
                    ->text()
                    .contains(QStringLiteral("stopped")));
    page().compare({}, {});
    waitForIt();
    EXPECT_FALSE(page().story().isEmpty());
}

}  // namespace
}  // namespace ui
