// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/tensor_picture.h"

#include "core/checkpoint/checkpoint_writer.h"
#include "ui/inspect/color_scale.h"
#include "ui/inspect/matrix_canvas.h"
#include "ui/theme/theme.h"

#include <gtest/gtest.h>

#include <QComboBox>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

namespace ui {
namespace {

class TensorPictureTest : public ::testing::Test {
  protected:
    /// values[i] = f(i) in `shape`.
    void open(const core::Shape& shape, const std::function<float(std::int64_t)>& value) {
        core::TensorInfo info;
        info.name = "t";
        info.shape = shape;
        std::vector<float> values(static_cast<std::size_t>(shape.elements()));
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = value(static_cast<std::int64_t>(i));
        const core::Path path = folder.filePath(QStringLiteral("x.safetensors")).toStdString();
        std::filesystem::remove(path);
        const auto writer = core::CheckpointWriter::create(path, {info}, {});
        writer->write(0, std::as_bytes(std::span(values)));
        writer->commit();
        auto model = std::make_shared<OpenedModel>();
        model->checkpoint = core::Checkpoint::open(path);
        picture = std::make_unique<TensorPicture>(model, 0, nullptr);
        picture->show();
        settle();
    }
    void settle() {
        ASSERT_TRUE(QTest::qWaitFor([this] { return picture->isSettled(); }, 30'000));
    }
    QString valueAt(std::int64_t row, std::int64_t column) {
        picture->canvas().setCursorCell(MatrixCanvas::Cell{row, column});
        EXPECT_TRUE(QTest::qWaitFor(
            [this] { return picture->valueText().contains(QLatin1Char(':')); }, 10'000));
        return picture->valueText();
    }
    QTemporaryDir folder;
    std::unique_ptr<TensorPicture> picture;
};

TEST(DivergingColors, EndsMiddleAndBeyond) {
    const DivergingColors colors(2);
    const auto& stops = tokens().diverging;
    EXPECT_EQ(colors.of(0), stops[2].rgb());
    EXPECT_EQ(colors.of(2), stops[4].rgb());
    EXPECT_EQ(colors.of(-2), stops[0].rgb());
    EXPECT_EQ(colors.of(1e30F), stops[4].rgb());
    EXPECT_EQ(colors.of(-INFINITY), stops[0].rgb());
    EXPECT_EQ(DivergingColors(0).of(5), stops[2].rgb());
}

TEST(DivergingColors, BothSidesGrowAwayFromTheMiddleInBothThemes) {
    for (const Tokens* t : {&lightTokens(), &darkTokens()}) {
        const auto away = [&](int i) {
            return std::abs(t->diverging[static_cast<std::size_t>(i)].lightness() -
                            t->diverging[2].lightness());
        };
        EXPECT_GT(away(0), away(1));
        EXPECT_GT(away(1), 20);
        EXPECT_GT(away(4), away(3));
        EXPECT_GT(away(3), 20);
        // blue against orange: the blue channel tells the sides apart for every kind of sight
        EXPECT_GT(t->diverging[1].blue() - t->diverging[1].red(), 50);
        EXPECT_GT(t->diverging[3].red() - t->diverging[3].blue(), 50);
    }
}

TEST_F(TensorPictureTest, ValuesUnderTheCursorAreTheTensors) {
    open({3, 5, 7}, [](std::int64_t i) { return static_cast<float>(i); });
    EXPECT_EQ(valueAt(2, 3), QStringLiteral("row 2, column 3: 17"));
    auto* axis = picture->findChild<QSpinBox*>();
    ASSERT_NE(axis, nullptr);
    EXPECT_EQ(axis->maximum(), 2);
    axis->setValue(2);
    settle();
    EXPECT_EQ(valueAt(4, 6), QStringLiteral("row 4, column 6: 104"));
}

TEST_F(TensorPictureTest, NonFiniteValuesAreSaidAndSignalled) {
    open({4, 4}, [](std::int64_t i) { return i == 5 ? NAN : i == 6 ? INFINITY : 1.0F; });
    EXPECT_EQ(valueAt(1, 1), QStringLiteral("row 1, column 1: NaN"));
    EXPECT_EQ(valueAt(1, 2), QStringLiteral("row 1, column 2: infinite"));
    picture->canvas().setCursorCell({});
    const QImage seen = picture->canvas().grab().toImage();
    int signalled = 0;
    for (int y = 0; y < seen.height(); ++y)
        for (int x = 0; x < seen.width(); ++x)
            signalled += seen.pixel(x, y) == tokens().signal.rgb() ? 1 : 0;
    EXPECT_GT(signalled, 0);
}

TEST_F(TensorPictureTest, ZoomsByKeysToSingleValuesAndBack) {
    open({400, 900}, [](std::int64_t i) { return static_cast<float>(i % 900) - 450; });
    MatrixCanvas& canvas = picture->canvas();
    const core::MatrixWindow all{0, 0, 400, 900};
    EXPECT_EQ(canvas.window(), all);
    for (int i = 0; i < 40; ++i) QTest::keyClick(&canvas, Qt::Key_Plus);
    EXPECT_GE(canvas.zoom(), 32);
    EXPECT_LT(canvas.window().columns, 60);
    settle();
    const core::MatrixWindow near = canvas.window();
    QTest::keyClick(&canvas, Qt::Key_Right, Qt::ControlModifier);
    EXPECT_GT(canvas.window().column, near.column);
    QTest::keyClick(&canvas, Qt::Key_1);
    EXPECT_NEAR(canvas.zoom() * canvas.devicePixelRatioF(), 1, 1e-9);
    QTest::keyClick(&canvas, Qt::Key_0);
    EXPECT_EQ(canvas.window(), all);
    EXPECT_TRUE(canvas.isFitted());
}

TEST_F(TensorPictureTest, ArrowsMoveTheCursorAndTheViewFollows) {
    open({300, 300}, [](std::int64_t i) { return static_cast<float>(i); });
    MatrixCanvas& canvas = picture->canvas();
    for (int i = 0; i < 30; ++i) QTest::keyClick(&canvas, Qt::Key_Plus);
    canvas.setCursorCell(MatrixCanvas::Cell{150, 150});
    for (int i = 0; i < 14; ++i) QTest::keyClick(&canvas, Qt::Key_Right, Qt::ShiftModifier);
    ASSERT_TRUE(canvas.cursor());
    EXPECT_EQ(canvas.cursor()->column, 290);
    const core::MatrixWindow seen = canvas.window();
    EXPECT_LE(seen.column, 290);
    EXPECT_GT(seen.column + seen.columns, 290);
}

TEST_F(TensorPictureTest, TheRangeIsOfTheValues) {
    open({10, 10}, [](std::int64_t i) { return i == 0 ? -100.0F : 1.0F; });
    const double rms = std::sqrt((1e4 + 99) / 100);
    EXPECT_NEAR(picture->scaleTop(), 3 * rms, 1e-4);
    picture->findChildren<QComboBox*>()[1]->setCurrentIndex(1);
    EXPECT_EQ(picture->scaleTop(), 100);
}

TEST_F(TensorPictureTest, ThinAndSingleTensorsAreSeen) {
    for (const core::Shape& shape : {core::Shape{5000}, core::Shape{5000, 1}, core::Shape{}}) {
        open(shape, [](std::int64_t i) { return static_cast<float>(i); });
        MatrixCanvas& canvas = picture->canvas();
        const auto middle = canvas.cellAt(QPointF(canvas.rect().center()));
        ASSERT_TRUE(middle);
        EXPECT_TRUE(canvas.cellAt(QPointF(canvas.rect().center()) + QPointF(10, 10)));
        picture.reset();
    }
}

TEST_F(TensorPictureTest, ALargeMatrixIsSampledFirstThenWhole) {
    open({3000, 1500}, [](std::int64_t i) { return i / 1500 == 1001 ? 5.0F : 0.5F; });
    picture->findChildren<QComboBox*>()[0]->setCurrentIndex(1);
    settle();
    EXPECT_EQ(valueAt(1001, 700), QStringLiteral("row 1001, column 700: 5"));
    picture->findChildren<QComboBox*>()[1]->setCurrentIndex(1);
    EXPECT_EQ(picture->scaleTop(), 5);  // the one row of fives is among the rows that were read
}

TEST_F(TensorPictureTest, IsDestroyedWhileItIsSeenWithACursor) {
    open({20, 20}, [](std::int64_t i) { return static_cast<float>(i); });
    picture->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(picture.get()));
    picture->canvas().setFocus();
    QTest::keyClick(&picture->canvas(), Qt::Key_Right);
    ASSERT_TRUE(picture->canvas().cursor());
    picture.reset();
}

TEST_F(TensorPictureTest, SavesCopiesAndCloses) {
    open({20, 20}, [](std::int64_t i) { return static_cast<float>(i); });
    const QString file = folder.filePath(QStringLiteral("p.png"));
    picture->saveTo(file);
    const QImage saved(file);
    EXPECT_GE(saved.width(), 2 * picture->canvas().width());
    QTest::keyClick(picture.get(), Qt::Key_Escape);
    EXPECT_FALSE(picture->isVisible());
}

}  // namespace
}  // namespace ui
