// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/error.h"
#include "ui/charts/heat_map.h"
#include "ui/charts/legend.h"
#include "ui/charts/line_chart.h"
#include "ui/charts/load_bars.h"
#include "ui/theme/theme.h"

#include <gtest/gtest.h>

#include <QAbstractScrollArea>
#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFontMetrics>
#include <QImage>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QXmlStreamReader>

#include <cmath>
#include <limits>

namespace ui {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::shared_ptr<Series> ramp(int n) {
    auto series = std::make_shared<Series>();
    for (int i = 1; i <= n; ++i) series->append(i, i * 0.5);
    return series;
}

LineChart::Curve curve(const SeriesPtr& series, const QString& name = QStringLiteral("train")) {
    return {{name, 0, true, false}, series};
}

QByteArray fileBytes(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QWidget& viewportOf(LineChart& chart) {
    return *chart.findChild<QAbstractScrollArea*>()->viewport();
}

TEST(LineChart, HiddenCostsNothingAndIsRightWhenShown) {
    LineChart chart(QStringLiteral("Loss"));
    const auto series = ramp(10);
    chart.setCurves({curve(series)});
    for (int i = 0; i < 5; ++i) chart.refresh();
    QTest::qWait(150);
    EXPECT_EQ(chart.redraws(), 0);
    chart.resize(500, 300);
    chart.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return chart.redraws() > 0; }));
    EXPECT_DOUBLE_EQ(chart.xAxis().to, 10);
}

TEST(LineChart, DrawsAtMostTenTimesASecond) {
    LineChart chart(QStringLiteral("Loss"));
    const auto series = ramp(10);
    chart.setCurves({curve(series)});
    chart.resize(500, 300);
    chart.show();
    QTest::qWait(150);
    const int before = chart.redraws();
    QElapsedTimer since;
    since.start();
    for (int i = 0; i < 100; ++i) {
        series->append(11 + i, 1);
        chart.refresh();
        QTest::qWait(5);
    }
    const int made = chart.redraws() - before;
    EXPECT_GE(made, 2);
    EXPECT_LE(made, since.elapsed() / 100 + 2);  // ten a second, however slow the machine is
    QTest::qWait(200);
    EXPECT_DOUBLE_EQ(chart.xAxis().to, 110);  // the last value is not forgotten
}

TEST(LineChart, ReadsTheValuesAtTheCursor) {
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(10)), curve(ramp(4), QStringLiteral("validation"))});
    EXPECT_EQ(chart.readout(7.2),
              (QStringList{QStringLiteral("train 3.500"), QStringLiteral("validation 2")}));
}

TEST(LineChart, PointerMovesTheCursorOfItsNeighbours) {
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(100))});
    chart.resize(600, 300);
    chart.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return chart.redraws() > 0; }));
    QSignalSpy moved(&chart, &LineChart::cursorMoved);
    QWidget& view = viewportOf(chart);
    QTest::mouseMove(&view, {view.width() / 2, view.height() / 2});
    ASSERT_TRUE(QTest::qWaitFor([&] { return !moved.isEmpty(); }));
    const double x = moved.last()[0].toDouble();
    EXPECT_EQ(x, std::floor(x));  // a point of the series, not a pixel
    EXPECT_NEAR(x, 50, 10);
}

TEST(LineChart, ZoomsPansAndResetsByKeys) {
    LineChart chart(QStringLiteral("Loss"));
    const auto series = ramp(1000);
    chart.setCurves({curve(series)});
    chart.resize(600, 300);
    chart.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return chart.redraws() > 0; }));
    auto* view = chart.findChild<QAbstractScrollArea*>();
    QTest::keyClick(view, Qt::Key_Plus);
    EXPECT_TRUE(chart.isZoomed());
    const Axis zoomed = chart.xAxis();
    EXPECT_LT(zoomed.to - zoomed.from, 1000);
    QTest::keyClick(view, Qt::Key_Right, Qt::ShiftModifier);
    EXPECT_GT(chart.xAxis().from, zoomed.from);
    QTest::keyClick(view, Qt::Key_Minus);
    QTest::keyClick(view, Qt::Key_Minus);
    QTest::keyClick(view, Qt::Key_0);
    EXPECT_FALSE(chart.isZoomed());
    EXPECT_DOUBLE_EQ(chart.xAxis().to, 1000);
}

TEST(LineChart, DraggingShowsThatRangeAndDoubleClickEverything) {
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(1000))});
    chart.resize(600, 300);
    chart.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return chart.redraws() > 0; }));
    QWidget& view = viewportOf(chart);
    const int y = view.height() / 2;
    QTest::mousePress(&view, Qt::LeftButton, {}, {view.width() / 2, y});
    QTest::mouseMove(&view, {view.width() * 3 / 4, y});
    QTest::mouseRelease(&view, Qt::LeftButton, {}, {view.width() * 3 / 4, y});
    ASSERT_TRUE(chart.isZoomed());
    EXPECT_GT(chart.xAxis().from, 350);
    EXPECT_LT(chart.xAxis().to, 850);
    QTest::mouseDClick(&view, Qt::LeftButton, {}, {view.width() / 2, y});
    EXPECT_FALSE(chart.isZoomed());
}

TEST(LineChart, ZoomAtTheEndFollowsNewValues) {
    LineChart chart(QStringLiteral("Loss"));
    const auto series = ramp(1000);
    chart.setCurves({curve(series)});
    chart.resize(600, 300);
    chart.show();
    chart.showRange(900, 1000);
    series->append(1100, 1);
    chart.refreshNow();
    EXPECT_DOUBLE_EQ(chart.xAxis().to, 1100);
    chart.showRange(100, 200);
    series->append(1200, 1);
    chart.refreshNow();
    EXPECT_DOUBLE_EQ(chart.xAxis().to, 200);
}

TEST(LineChart, LogarithmicAxisSkipsWhatHasNoLogarithm) {
    LineChart chart(QStringLiteral("Loss"));
    auto series = std::make_shared<Series>();
    for (const double y : {100.0, 10.0, 0.0, -1.0, kNan, 1.0}) {
        series->append(static_cast<double>(series->size()), y);
    }
    chart.setCurves({curve(series)});
    chart.resize(600, 300);
    chart.show();
    chart.setLogarithmic(true);
    EXPECT_GT(chart.yAxis().from, 0);
    EXPECT_LE(chart.yAxis().from, 1);
    EXPECT_GE(chart.yAxis().to, 100);
}

TEST(LineChart, OnlyNotFiniteValuesStillMakeAPicture) {
    LineChart chart(QStringLiteral("Loss"));
    auto series = std::make_shared<Series>();
    series->append(1, kNan);
    series->append(2, std::numeric_limits<double>::infinity());
    chart.setCurves({curve(series)});
    chart.resize(600, 300);
    chart.show();
    chart.setLogarithmic(true);
    EXPECT_FALSE(chart.grab().isNull());
    EXPECT_LT(chart.yAxis().from, chart.yAxis().to);
}

TEST(LineChart, ExportsAllDataWhateverIsVisible) {
    const QTemporaryDir folder;
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(5000))});
    chart.showRange(10, 20);
    const QString path = folder.filePath(QStringLiteral("loss.csv"));
    chart.exportTo(path);
    const QList<QByteArray> lines = fileBytes(path).split('\n');
    ASSERT_EQ(lines.size(), 5002);
    EXPECT_EQ(lines[0], "step,train");
    EXPECT_EQ(lines[1], "1,0.5");
    EXPECT_EQ(lines[5000], "5000,2500");
}

TEST(LineChart, ExportsPictureOfItsOwnSizeWithoutBeingShown) {
    const QTemporaryDir folder;
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(100))});
    const QString path = folder.filePath(QStringLiteral("loss.png"));
    chart.exportTo(path);
    const QImage image(path);
    EXPECT_EQ(image.size(), QSize(2400, 1280));
    const QColor line = tokens().series[0];
    int drawn = 0;
    for (int x = 200; x < 2300; x += 50) {
        for (int y = 100; y < 1250; ++y) {
            const QColor pixel = image.pixelColor(x, y);
            if (std::abs(pixel.red() - line.red()) < 8 &&
                std::abs(pixel.blue() - line.blue()) < 8) {
                ++drawn;
                break;
            }
        }
    }
    EXPECT_GE(drawn, 40);  // the curve goes through every one of the 42 columns looked at
}

TEST(LineChart, ExportsWellFormedVectors) {
    const QTemporaryDir folder;
    LineChart chart(QStringLiteral("Loss"));
    auto series = ramp(300);
    series->append(301, kNan);
    series->append(302, 5);
    chart.setCurves({curve(series, QStringLiteral("a & b <c>"))});
    const QString path = folder.filePath(QStringLiteral("loss.svg"));
    chart.exportTo(path);
    QXmlStreamReader xml(fileBytes(path));
    QString text;
    int paths = 0;
    while (!xml.atEnd()) {
        xml.readNext();
        if (xml.isCharacters()) text += xml.text();
        if (xml.isStartElement() &&
            (xml.name() == QLatin1String("path") || xml.name() == QLatin1String("polyline"))) {
            ++paths;
        }
    }
    EXPECT_FALSE(xml.hasError()) << xml.errorString().toStdString();
    EXPECT_TRUE(text.contains(QStringLiteral("Loss")));
    EXPECT_TRUE(text.contains(QStringLiteral("a & b <c>")));
    EXPECT_GE(paths, 200);
    EXPECT_FALSE(fileBytes(path).contains("nan"));
}

TEST(LineChart, RefusesUnknownEndingsAndPlaces) {
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(3))});
    EXPECT_THROW(chart.exportTo(QDir::tempPath() + QStringLiteral("/loss.docx")), core::Error);
    EXPECT_THROW(chart.exportTo(QStringLiteral("/nowhere/at/all/loss.csv")), core::Error);
}

TEST(HeatMap, IsOnePixelPerCell) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("encoder.3"), QStringLiteral("encoder.4")}, {{0, 1, 2}, {1, 0.5}});
    const QImage image = map.image();
    ASSERT_EQ(image.size(), QSize(3, 2));
    const auto& ramp = tokens().ramp;
    EXPECT_EQ(image.pixelColor(0, 0), ramp.front());
    EXPECT_EQ(image.pixelColor(1, 0), ramp[2]);  // even is the middle of the scale
    EXPECT_EQ(image.pixelColor(2, 0), ramp.back());
    EXPECT_EQ(image.pixelColor(1, 1), ramp[1]);
    EXPECT_EQ(image.pixelColor(2, 1).alpha(), 0);  // no such expert
}

TEST(HeatMap, ScaleGrowsToPowersOfTwoAndStays) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("a")}, {{1, 5}});
    EXPECT_EQ(map.scaleTop(), 8);
    map.setLoads({QStringLiteral("a")}, {{1, 1}});
    EXPECT_EQ(map.scaleTop(), 8);
    map.resetScale();
    map.setLoads({QStringLiteral("a")}, {{1, 1}});
    EXPECT_EQ(map.scaleTop(), 2);
}

TEST(HeatMap, SurvivesNotFiniteLoads) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("a")}, {{kNan, std::numeric_limits<double>::infinity(), -1}});
    EXPECT_EQ(map.image().pixelColor(0, 0).alpha(), 0);
    EXPECT_EQ(map.scaleTop(), 2);
    map.resize(400, 240);
    EXPECT_FALSE(map.grab().isNull());
}

TEST(HeatMap, ReadsCellsByPointerAndKeys) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("encoder.3"), QStringLiteral("encoder.4")},
                 {{0, 1, 2, 1.5}, {1, 0.5, 1, 1}});
    map.resize(500, 260);
    map.show();
    EXPECT_EQ(map.cellText({0, 0}),
              QStringLiteral("encoder.3, expert 0: load 0.00 (no token at all)"));
    EXPECT_EQ(map.cellText({1, 1}), QStringLiteral("encoder.4, expert 1: load 0.50"));
    QTest::keyClick(&map, Qt::Key_Right);
    QTest::keyClick(&map, Qt::Key_Down);
    EXPECT_EQ(map.accessibleDescription(), map.cellText({1, 1}));
    QSignalSpy chosen(&map, &HeatMap::rowChosen);
    QTest::keyClick(&map, Qt::Key_Return);
    ASSERT_EQ(chosen.size(), 1);
    EXPECT_EQ(chosen[0][0].toInt(), 1);
    int cells = 0;
    for (int x = 0; x < 500; ++x) cells += map.cellAt({x, 100}).has_value() ? 1 : 0;
    EXPECT_GT(cells, 200);
    EXPECT_FALSE(map.cellAt({0, 0}).has_value());
}

TEST(HeatMap, StacksStandInGroupsUnderTheirNames) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("encoder.1"), QStringLiteral("encoder.3")}, {{1, 1}, {1, 1}});
    EXPECT_TRUE(map.groups().isEmpty()) << "one stack needs no heading";
    map.setLoads({QStringLiteral("encoder.1"), QStringLiteral("encoder.3"),
                  QStringLiteral("decoder.1"), QStringLiteral("decoder.3")},
                 {{1, 1, 1}, {1, 1, 1}, {1, 0, 2}, {1, 1}});
    EXPECT_EQ(map.groups(), (QStringList{QStringLiteral("Encoder"), QStringLiteral("Decoder")}));
    map.resize(500, 300);
    const QRectF above = map.cellRect({1, 0});
    const QRectF below = map.cellRect({2, 0});
    const double within = above.top() - map.cellRect({0, 0}).bottom();
    EXPECT_NEAR(within, 0, 1);
    EXPECT_GT(below.top() - above.bottom(), 16) << "room for the name between the stacks";
    for (int row = 0; row < 4; ++row)
        for (int column = 0; column < 3; ++column)
            EXPECT_EQ(map.cellAt(map.cellRect({row, column}).center().toPoint()),
                      (CellMap::Cell{row, column}));
    EXPECT_FALSE(map.cellAt({static_cast<int>(above.center().x()),
                             static_cast<int>((above.bottom() + below.top()) / 2)}));
    EXPECT_EQ(map.cellText({2, 1}),
              QStringLiteral("decoder.1, expert 1: load 0.00 (no token at all)"));
    map.resize(300, 140);
    EXPECT_FALSE(map.grab().isNull()) << "more headings than room";
}

TEST(HeatMap, CsvHasEveryCell) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("encoder.3")}, {{0, 1.5}});
    EXPECT_EQ(map.csv(), "block,expert,load\nencoder.3,0,0\nencoder.3,1,1.5\n");
}

TEST(LoadBars, ReadsBarsByPointerAndKeys) {
    LoadBars bars(QStringLiteral("Load"));
    bars.setLoads(QStringLiteral("encoder.3"), {0, 0.5, 2.5});
    bars.resize(400, 260);
    bars.show();
    QTest::keyClick(&bars, Qt::Key_Right);
    EXPECT_EQ(bars.accessibleDescription(),
              QStringLiteral("expert 0: load 0.00 (no token at all)"));
    QTest::keyClick(&bars, Qt::Key_Left);
    QTest::keyClick(&bars, Qt::Key_Right);
    QTest::keyClick(&bars, Qt::Key_Right);
    EXPECT_EQ(bars.accessibleDescription(), QStringLiteral("expert 2: load 2.50"));
    EXPECT_EQ(bars.csv(), "block,expert,load\nencoder.3,0,0\nencoder.3,1,0.5\nencoder.3,2,2.5\n");
}

TEST(Legend, SaysLessWhereThereIsLessRoomButNamesEveryLine) {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    const std::vector<LegendEntry> entries{
        {QStringLiteral("a run with a long name"), {}, QStringLiteral("0.123")},
        {QStringLiteral("another run with a name"), {}, QStringLiteral("0.456")}};
    const auto wide = placeLegend(entries, metrics, 1000);
    ASSERT_EQ(wide.size(), 2U);
    EXPECT_EQ(wide[0].entry.value, QStringLiteral("0.123"));
    EXPECT_EQ(wide[0].left, 0);
    const auto without = placeLegend(entries, metrics, wide[1].left * 2 - 40);
    EXPECT_TRUE(without[1].entry.value.isEmpty());
    EXPECT_EQ(without[1].entry.name, entries[1].name);
    const auto narrow = placeLegend(entries, metrics, 150);
    ASSERT_EQ(narrow.size(), 2U);
    EXPECT_TRUE(narrow[1].entry.name.contains(QChar(0x2026)));
    EXPECT_LT(narrow[1].left + metrics.horizontalAdvance(narrow[1].entry.name), 150);
    EXPECT_TRUE(placeLegend({}, metrics, 10).empty());
}

TEST(Charts, FollowAChangeOfTheme) {
    HeatMap map(QStringLiteral("Load"));
    map.setLoads({QStringLiteral("a")}, {{0, 1, 2}});
    LineChart chart(QStringLiteral("Loss"));
    chart.setCurves({curve(ramp(100))});
    chart.resize(500, 300);
    chart.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return chart.redraws() > 0; }));
    const int before = chart.redraws();
    const QPalette old = QApplication::palette();
    QPalette dark = old;
    const bool wasDark = tokens().dark;
    dark.setColor(QPalette::Window, wasDark ? Qt::white : Qt::black);
    QApplication::setPalette(dark);
    QCoreApplication::processEvents();
    EXPECT_NE(tokens().dark, wasDark);
    EXPECT_TRUE(QTest::qWaitFor([&] { return chart.redraws() > before; }));
    EXPECT_EQ(map.image().pixelColor(0, 0), tokens().ramp.front());
    QApplication::setPalette(old);
}

TEST(Charts, HaveNamesForThoseWhoListen) {
    LineChart chart(QStringLiteral("Loss"));
    EXPECT_EQ(chart.accessibleName(), QStringLiteral("Loss"));
    for (const QToolButton* button : chart.findChildren<QToolButton*>()) {
        EXPECT_FALSE(button->accessibleName().isEmpty());
    }
    for (const QAbstractScrollArea* view : chart.findChildren<QAbstractScrollArea*>()) {
        EXPECT_FALSE(view->accessibleName().isEmpty());
    }
}

}  // namespace
}  // namespace ui
