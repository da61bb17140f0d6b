// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/csv_writer.h"
#include "ui/charts/series.h"
#include "ui/charts/smoothing.h"
#include "ui/charts/ticks.h"

#include <gtest/gtest.h>

#include <QLocale>
#include <QStringList>

#include <cmath>
#include <limits>

namespace ui {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Series, CutsAndFindsTheNearest) {
    Series series;
    for (int i = 0; i < 10; ++i) series.append(i * 2, i);
    EXPECT_EQ(series.nearest(-5), 0U);
    EXPECT_EQ(series.nearest(4.9), 2U);
    EXPECT_EQ(series.nearest(5.1), 3U);
    EXPECT_EQ(series.nearest(100), 9U);
    const std::uint64_t before = series.revision();
    series.cutAfter(18);
    EXPECT_EQ(series.revision(), before);
    series.cutAfter(6);
    EXPECT_NE(series.revision(), before);
    ASSERT_EQ(series.size(), 4U);
    EXPECT_EQ(series.y().back(), 3);
}

TEST(Smoothing, IsTheUnbiasedMovingAverage) {
    Series series;
    Smoothing smoothing;
    smoothing.setWeight(0.5);
    series.append(0, 4);
    EXPECT_DOUBLE_EQ(smoothing.of(series)[0], 4);  // no bias towards zero at the start
    series.append(1, 8);
    EXPECT_DOUBLE_EQ(smoothing.of(series)[1], (0.25 * 4 + 0.5 * 8) / 0.75);
    series.append(2, kNan);
    EXPECT_TRUE(std::isnan(smoothing.of(series)[2]));
    series.append(3, 6);
    EXPECT_DOUBLE_EQ(smoothing.of(series)[3], (0.125 * 4 + 0.25 * 8 + 0.5 * 6) / 0.875);
}

TEST(Smoothing, StartsAnewWhenTheSeriesWasCut) {
    Series series;
    for (int i = 0; i < 100; ++i) series.append(i, 1);
    Smoothing smoothing;
    smoothing.setWeight(0.9);
    EXPECT_DOUBLE_EQ(smoothing.of(series)[99], 1);
    series.cutAfter(-1);
    for (int i = 0; i < 100; ++i) series.append(i, 3);
    ASSERT_EQ(smoothing.of(series).size(), 100U);
    EXPECT_NEAR(smoothing.of(series)[0], 3, 1e-12);
}

TEST(Smoothing, WeightZeroIsTheValuesThemselves) {
    Series series;
    for (int i = 0; i < 5; ++i) series.append(i, i * i);
    Smoothing smoothing;
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(smoothing.of(series)[i], series.y()[i]);
}

QStringList labels(const std::vector<Tick>& ticks) {
    QStringList texts;
    for (const Tick& tick : ticks) texts << tick.label;
    return texts;
}

TEST(Ticks, AreRoundAndAlikeInPrecision) {
    QLocale::setDefault(QLocale::c());
    EXPECT_EQ(labels(linearTicks(0, 2, 4)),
              (QStringList{QStringLiteral("0.0"), QStringLiteral("0.5"), QStringLiteral("1.0"),
                           QStringLiteral("1.5"), QStringLiteral("2.0")}));
    EXPECT_EQ(labels(linearTicks(0, 40'000, 4)),
              (QStringList{QStringLiteral("0 k"), QStringLiteral("10 k"), QStringLiteral("20 k"),
                           QStringLiteral("30 k"), QStringLiteral("40 k")}));
    EXPECT_EQ(
        labels(linearTicks(0, 1e-4, 5)),
        (QStringList{QStringLiteral("0"), QStringLiteral("2e-5"), QStringLiteral("4e-5"),
                     QStringLiteral("6e-5"), QStringLiteral("8e-5"), QStringLiteral("1e-4")}));
    EXPECT_EQ(labels(linearTicks(0, 0.2, 4, ValueFormat::Percent)),
              (QStringList{QStringLiteral("0 %"), QStringLiteral("5 %"), QStringLiteral("10 %"),
                           QStringLiteral("15 %"), QStringLiteral("20 %")}));
}

TEST(Ticks, LogarithmicOnesAreDecades) {
    QLocale::setDefault(QLocale::c());
    EXPECT_EQ(labels(logTicks(1e-5, 1, 6)),
              (QStringList{QStringLiteral("1e-5"), QStringLiteral("1e-4"), QStringLiteral("1e-3"),
                           QStringLiteral("0.01"), QStringLiteral("0.1"), QStringLiteral("1")}));
    for (const Tick& tick : logTicks(0.02, 50, 6)) {
        EXPECT_GE(tick.value, 0.02 * 0.999);
        EXPECT_LE(tick.value, 50 * 1.001);
    }
}

TEST(Ticks, AbsurdRangesEndAndStayInside) {
    for (const auto& [low, high] : std::vector<std::pair<double, double>>{
             {0, 0}, {1e18, 1e18 + 1}, {-1e308, 1e308}, {5e-324, 1e-320}, {-3, -3}, {7, 7}}) {
        const Axis axis = roundedAxis(low, high, false, 4);
        EXPECT_LT(axis.from, axis.to) << low;
        EXPECT_LT(axis.ticks.size(), 20U) << low;
    }
    const Axis axis = roundedAxis(1, 1, true, 4);
    EXPECT_LT(axis.from, 1);
    EXPECT_GT(axis.to, 1);
}

TEST(Axis, PositionAndValueAreInverse) {
    const Axis linear{2, 6, false, {}};
    EXPECT_DOUBLE_EQ(linear.position(3), 0.25);
    EXPECT_DOUBLE_EQ(linear.valueAt(0.25), 3);
    const Axis log{1, 100, true, {}};
    EXPECT_DOUBLE_EQ(log.position(10), 0.5);
    EXPECT_NEAR(log.valueAt(0.5), 10, 1e-12);
}

TEST(ValueText, SpeaksToPeople) {
    QLocale::setDefault(QLocale::c());
    EXPECT_EQ(valueText(0.4567), QStringLiteral("0.457"));
    EXPECT_EQ(valueText(12), QStringLiteral("12"));
    EXPECT_EQ(valueText(1234567), QStringLiteral("1.235 M"));
    EXPECT_EQ(valueText(3e-5), QStringLiteral("3e-5"));
    EXPECT_EQ(valueText(0.1234, ValueFormat::Percent), QStringLiteral("12.34 %"));
    EXPECT_EQ(valueText(kNan), QStringLiteral("not a number"));
}

TEST(Csv, NumbersReadBackAndFieldsAreQuoted) {
    for (const double value : {0.1, 1.0 / 3, 1e-300, -2.5e17, 123456789.125}) {
        EXPECT_EQ(QString::fromUtf8(csvNumber(value)).toDouble(), value);
    }
    EXPECT_EQ(csvNumber(kNan), "nan");
    EXPECT_EQ(csvNumber(-std::numeric_limits<double>::infinity()), "-inf");
    EXPECT_EQ(csvField(QStringLiteral("a,\"b\"")), "\"a,\"\"b\"\"\"");
}

TEST(Csv, JoinsColumnsOverX) {
    auto a = std::make_shared<Series>();
    auto b = std::make_shared<Series>();
    a->append(1, 0.5);
    a->append(2, kNan);
    a->append(4, 0.25);
    b->append(2, 7);
    b->append(3, 8);
    const QByteArray table =
        csvTable(QStringLiteral("step"), {{QStringLiteral("a"), a}, {QStringLiteral("b"), b}});
    EXPECT_EQ(table, "step,a,b\n1,0.5,\n2,nan,7\n3,,8\n4,0.25,\n");
}

}  // namespace
}  // namespace ui
