// SPDX-License-Identifier: GPL-3.0-or-later
// The tensors as a table with statistics: what it shows, filters, sorts and copies.
#include "core/checkpoint/checkpoint_writer.h"
#include "tests/ui/opened_window.h"
#include "ui/canvas/canvas_view.h"
#include "ui/inspect/inspector.h"
#include "ui/inspect/tensors_page.h"
#include "ui/models/name_filter.h"
#include "ui/models/tensor_model.h"
#include "ui/widgets/copy_table.h"
#include "ui/window/model_workspace.h"

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QToolButton>

#include <cmath>
#include <limits>

namespace ui {
namespace {

TEST(NameFilter, PartsInAnyCaseAndStars) {
    const auto matches = [](const char* filter, const char* name) {
        return nameFilter(QString::fromLatin1(filter)).match(QString::fromLatin1(name)).hasMatch();
    };
    EXPECT_TRUE(matches("", "anything"));
    EXPECT_TRUE(matches(" LAYER.1 ", "vit.layer.1.bias"));
    EXPECT_FALSE(matches("layer.1", "vit.layerx1"));  // a dot is a dot
    EXPECT_TRUE(matches("layer.*.bias", "vit.layer.10.output.bias"));
    EXPECT_FALSE(matches("layer.*.bias", "vit.layer.10.output.weight"));
    EXPECT_FALSE(matches("???", "abc"));
    EXPECT_TRUE(matches("a(", "a(b"));
}

class TensorTableTest : public testing::OpenedWindow {
  protected:
    void openWide() {
        openDense();
        trigger("view.tensors");
        ASSERT_TRUE(QTest::qWaitFor([this] { return page().loader().remaining() == 0; }, 30'000));
    }
    TensorsPage& page() { return window.modelWorkspace().inspector().tensors(); }
    CopyTable& table() { return *window.findChild<CopyTable*>(QStringLiteral("tensorTable")); }
    QString cell(int row, int column) {
        return table().model()->index(row, column).data().toString();
    }
    QString label(const char* name) {
        return window.findChild<QLabel*>(QString::fromLatin1(name))->text();
    }
    void filter(const char* text) {
        auto* box = window.findChild<QLineEdit*>(QStringLiteral("tensorFilter"));
        box->clear();
        QTest::keyClicks(box, QString::fromLatin1(text));
    }
};

TEST_F(TensorTableTest, StatisticsOfEveryRowAreTheEngines) {
    openWide();
    const core::Checkpoint& checkpoint = *window.document().model().checkpoint;
    ASSERT_EQ(table().model()->rowCount(), static_cast<int>(checkpoint.tensors().size()));
    const std::atomic<bool> cancel{false};
    for (int row = 0; row < table().model()->rowCount(); ++row) {
        const core::TensorStats stats = core::computeStats(
            checkpoint, checkpoint.tensors()[static_cast<std::size_t>(row)], cancel);
        EXPECT_EQ(cell(row, TensorModel::Min), QLocale().toString(stats.min, 'g', 3));
        EXPECT_EQ(cell(row, TensorModel::Std), QLocale().toString(stats.std, 'g', 3));
        EXPECT_EQ(cell(row, TensorModel::Zeros), shareText(stats.zeros, stats.count));
        EXPECT_EQ(cell(row, TensorModel::NonFinite), QStringLiteral("0"));
    }
    EXPECT_TRUE(label("tensors.count").contains(QStringLiteral("parameters")));
}

TEST_F(TensorTableTest, NothingIsReadUntilTheTableIsWide) {
    openDense();
    QTest::qWait(100);
    EXPECT_FALSE(page().loader().isRunning());
    EXPECT_TRUE(table().isColumnHidden(TensorModel::Mean));
    EXPECT_EQ(page().loader().find(0), nullptr);
}

TEST_F(TensorTableTest, WideHidesTheCanvasAndEscapeBringsItBack) {
    openDense();
    window.modelWorkspace().inspector().show();
    trigger("view.tensors");
    EXPECT_FALSE(window.modelWorkspace().canvas().isVisible());
    EXPECT_FALSE(window.findChild<QWidget*>(QStringLiteral("zoom"))->isVisible());
    EXPECT_FALSE(table().isColumnHidden(TensorModel::Max));
    table().setFocus();
    QTest::keyClick(&table(), Qt::Key_Escape);
    EXPECT_TRUE(window.modelWorkspace().canvas().isVisible());
    EXPECT_TRUE(window.findChild<QWidget*>(QStringLiteral("zoom"))->isVisible());
    EXPECT_TRUE(table().isColumnHidden(TensorModel::Mean));
    EXPECT_TRUE(table().isColumnHidden(TensorModel::Max));
}

TEST_F(TensorTableTest, NamesAreWholeAndColumnsGiveWayToThem) {
    window.openPath(QStringLiteral(UPCYCLER_SOURCE_DIR "/tests/reference/t5/v1_1"));
    ASSERT_TRUE(QTest::qWaitFor([this] { return window.document().hasModel(); }, 30'000));
    trigger("view.tensors");
    ASSERT_TRUE(QTest::qWaitFor([this] { return page().loader().remaining() == 0; }, 30'000));
    const QFontMetrics metrics(table().font());
    const auto widest = [&](int column) {
        int most = 0;
        for (int row = 0; row < table().model()->rowCount(); ++row)
            most = std::max(most, metrics.horizontalAdvance(cell(row, column)));
        return most;
    };
    for (const QSize size : {QSize(1280, 800), QSize(1920, 1080), QSize(1280, 800)}) {
        window.resize(size);
        QTest::qWait(20);
        for (const int column : {TensorModel::Name, TensorModel::Shape})
            EXPECT_LT(widest(column), table().columnWidth(column))
                << column << ", " << size.width();
        EXPECT_EQ(table().isColumnHidden(TensorModel::Mean), size.width() < 1900);
        EXPECT_FALSE(table().isColumnHidden(TensorModel::NonFinite));
        EXPECT_TRUE(table().isColumnHidden(TensorModel::Type)) << "all are of one type";
        EXPECT_TRUE(label("tensors.count").contains(QStringLiteral("all F32")));
        EXPECT_TRUE(table().text().contains(QStringLiteral("Mean"))) << "copied all the same";
        EXPECT_TRUE(table().text().contains(QStringLiteral("Type")));
    }
}

TEST_F(TensorTableTest, StarsFilterAndTheSummaryFollows) {
    openWide();
    const int all = table().model()->rowCount();
    filter("layer.*.query.bias");
    EXPECT_EQ(table().model()->rowCount(), 4);
    EXPECT_TRUE(label("tensors.count").startsWith(QStringLiteral("4 of %1").arg(all)));
    filter("layer.*query.nothing");
    EXPECT_EQ(table().model()->rowCount(), 0);
}

TEST_F(TensorTableTest, SortsByValueNotByText) {
    openWide();
    table().sortByColumn(TensorModel::Max, Qt::DescendingOrder);
    double before = std::numeric_limits<double>::infinity();
    for (int row = 0; row < table().model()->rowCount(); ++row) {
        const double value =
            table().model()->index(row, TensorModel::Max).data(TensorModel::kSortRole).toDouble();
        EXPECT_LE(value, before);
        before = value;
    }
}

TEST_F(TensorTableTest, CopiesRowsAsTextWithExactNumbers) {
    openWide();
    table().selectRow(1);
    QTest::keyClick(&table(), Qt::Key_C, Qt::ControlModifier);
    const QStringList lines =
        QGuiApplication::clipboard()->text().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    ASSERT_EQ(lines.size(), 2);
    EXPECT_TRUE(lines[0].startsWith(QStringLiteral("Tensor\tShape\tType\tSize\tMin")));
    const QStringList cells = lines[1].split(QLatin1Char('\t'));
    ASSERT_EQ(cells.size(), TensorModel::ColumnCount);
    const core::TensorInfo& info = window.document().model().checkpoint->tensors()[1];
    EXPECT_EQ(cells[TensorModel::Name], QString::fromStdString(info.name));
    EXPECT_EQ(cells[TensorModel::Size], QString::number(info.bytes));
    EXPECT_NEAR(cells[TensorModel::Mean].toDouble(), page().loader().find(1)->mean, 1e-9);
    table().clearSelection();
    EXPECT_EQ(table().text().count(QLatin1Char('\n')), table().model()->rowCount() + 1);
}

TEST_F(TensorTableTest, StopKeepsWhatIsReadAndContinueGoesOn) {
    openDense();
    trigger("view.tensors");
    page().loader().setRunning(false);
    QTest::qWait(200);
    page().loader().setRunning(true);
    ASSERT_TRUE(QTest::qWaitFor([this] { return page().loader().remaining() == 0; }, 30'000));
    EXPECT_FALSE(window.findChild<QToolButton*>(QStringLiteral("tensors.stop"))->isVisible());
}

TEST_F(TensorTableTest, TheCurrentTensorComesBeforeTheOthers) {
    openDense();
    StatsLoader loader(nullptr);
    QSignalSpy ready(&loader, &StatsLoader::ready);
    loader.setModel(window.document().sharedModel());
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < window.document().model().checkpoint->tensors().size(); ++i)
        wanted.push_back(i);
    const std::size_t last = wanted.back();
    loader.setWanted(wanted);
    loader.setFirst(last);
    loader.setRunning(true);
    ASSERT_TRUE(
        QTest::qWaitFor([&] { return loader.remaining() == 0 && !loader.isBusy(); }, 30'000));
    EXPECT_EQ(ready[0][0].value<std::vector<std::size_t>>(), std::vector<std::size_t>{last});
    for (const std::size_t i : wanted) EXPECT_NE(loader.find(i), nullptr);
    loader.setModel(nullptr);
    EXPECT_EQ(loader.find(0), nullptr);
}

TEST_F(TensorTableTest, ReopeningTheSameFileFindsTheCache) {
    const core::Path file = place() / "dense" / "model.safetensors";
    const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
    std::filesystem::last_write_time(file, old);
    openWide();
    const std::size_t last = window.document().model().checkpoint->tensors().size() - 1;
    const core::TensorStats before = *page().loader().find(last);
    {  // other bytes under the same identity show where the statistics come from
        const core::File changed = core::File::openForUpdating(file);
        const std::vector<std::byte> zeros(changed.size() / 2);
        changed.writeAt(changed.size() - zeros.size(), zeros);
    }
    std::filesystem::last_write_time(file, old);
    window.document().close();
    openDense();
    ASSERT_TRUE(QTest::qWaitFor([&] { return page().loader().find(last) != nullptr; }, 30'000));
    EXPECT_EQ(*page().loader().find(last), before);
}

TEST_F(TensorTableTest, ATensorThatCannotBeReadSaysWhy) {
    openDense();
    std::filesystem::resize_file(place() / "dense" / "model.safetensors", 20'000);
    const std::size_t last = window.document().model().checkpoint->tensors().size() - 1;
    StatsLoader loader(nullptr);
    loader.setModel(window.document().sharedModel());
    loader.setFirst(last);
    ASSERT_TRUE(QTest::qWaitFor([&] { return loader.failureOf(last) != nullptr; }, 30'000));
    EXPECT_TRUE(loader.failureOf(last)->message.contains(QStringLiteral("model.safetensors")));
    EXPECT_EQ(loader.find(last), nullptr);
}

}  // namespace
}  // namespace ui
