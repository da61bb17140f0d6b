// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/theme.h"

#include "ui/theme/icon.h"
#include "ui/theme/stylesheet.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QDirIterator>
#include <QSettings>
#include <QSignalSpy>

#include <array>
#include <cmath>

namespace ui {
namespace {

using Linear = std::array<double, 3>;

double toLinear(double value) {
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

Linear linear(const QColor& color) {
    const auto linear = [](float part) { return toLinear(static_cast<double>(part)); };
    return {linear(color.redF()), linear(color.greenF()), linear(color.blueF())};
}

double luminance(const QColor& color) {
    const Linear c = linear(color);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
}

/// WCAG 2.1.
double contrast(const QColor& a, const QColor& b) {
    const auto [low, high] = std::minmax({luminance(a), luminance(b)});
    return (high + 0.05) / (low + 0.05);
}

using Matrix = std::array<Linear, 3>;
// Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
constexpr Matrix kNormal{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr Matrix kProtan{{{0.152286, 1.052583, -0.204868},
                          {0.114503, 0.786281, 0.099216},
                          {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kDeutan{{{0.367322, 0.860646, -0.227968},
                          {0.280085, 0.672501, 0.047413},
                          {-0.011820, 0.042940, 0.968881}}};

Linear lab(const Linear& rgb) {
    const double x = (0.4124 * rgb[0] + 0.3576 * rgb[1] + 0.1805 * rgb[2]) / 0.95047;
    const double y = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
    const double z = (0.0193 * rgb[0] + 0.1192 * rgb[1] + 0.9505 * rgb[2]) / 1.08883;
    const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
    return {116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))};
}

Linear seen(const QColor& color, const Matrix& eye) {
    const Linear c = linear(color);
    Linear result{};
    for (std::size_t i = 0; i < 3; ++i)
        result[i] = std::max(0.0, eye[i][0] * c[0] + eye[i][1] * c[1] + eye[i][2] * c[2]);
    return lab(result);
}

double distance(const Linear& a, const Linear& b) {
    return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

class TokensTest : public ::testing::TestWithParam<bool> {
  protected:
    const Tokens& t = GetParam() ? darkTokens() : lightTokens();
};

TEST_P(TokensTest, TextCanBeRead) {
    for (const QColor& ground : {t.window, t.surface, t.sunken, t.raised}) {
        EXPECT_GE(contrast(t.text, ground), 10);
        EXPECT_GE(contrast(t.textMuted, ground), 4.5);
        EXPECT_GE(contrast(t.textFaint, ground), 4.5);
        EXPECT_GE(contrast(t.accentText, ground), 4.5);
    }
    EXPECT_GE(contrast(t.onAccent, t.accent), 4.5);
    EXPECT_GE(contrast(t.onAccent, t.accentHover), 4.5);
    EXPECT_GE(contrast(t.accentText, t.accentSoft), 4.5);
    EXPECT_GE(contrast(t.textMuted, t.accentSoft), 4.5);
    EXPECT_GE(contrast(t.textMuted, t.dangerSoft), 4.5);
    EXPECT_GE(contrast(t.textMuted, t.warningSoft), 4.5);
    for (const auto& [mark, ground] :
         {std::pair{t.success, t.successSoft}, std::pair{t.warning, t.warningSoft},
          std::pair{t.danger, t.dangerSoft}, std::pair{t.danger, t.surface}})
        EXPECT_GE(contrast(mark, ground), 4.5);
}

TEST_P(TokensTest, SeriesStandOutFromTheGround) {
    for (const QColor& color : t.series)
        EXPECT_GE(contrast(color, t.surface), 3) << color.name().toStdString();
}

TEST_P(TokensTest, SeriesStayApartForEveryEye) {
    for (const Matrix& eye : {kNormal, kProtan, kDeutan})
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = i + 1; j < 4; ++j)
                EXPECT_GE(distance(seen(t.series[i], eye), seen(t.series[j], eye)), 15)
                    << i << " and " << j;
}

TEST_P(TokensTest, TheRampGoesOneWay) {
    for (std::size_t i = 1; i < t.ramp.size(); ++i) {
        const double step = luminance(t.ramp[i]) - luminance(t.ramp[i - 1]);
        EXPECT_GT(t.dark ? step : -step, 0.01) << i;
    }
}

TEST_P(TokensTest, TheStylesheetHasNoUnknownName) {
    const QString sheet = styleSheetFor(t, QFont());
    EXPECT_GT(sheet.size(), 1000);
    EXPECT_FALSE(sheet.contains(QLatin1Char('@')))
        << sheet.mid(sheet.indexOf(QLatin1Char('@')), 40).toStdString();
}

INSTANTIATE_TEST_SUITE_P(Modes, TokensTest, ::testing::Bool());

TEST(ThemeTest, ModeIsAppliedRememberedAndSaid) {
    Theme theme(*qApp);
    ThemeWatcher watcher(nullptr);
    QSignalSpy changed(&watcher, &ThemeWatcher::changed);
    theme.setMode(ThemeMode::Light);
    EXPECT_FALSE(tokens().dark);
    theme.setMode(ThemeMode::Dark);
    EXPECT_TRUE(tokens().dark);
    EXPECT_GE(changed.count(), 1);
    EXPECT_EQ(QSettings().value(QStringLiteral("view/theme")).toString(), QStringLiteral("dark"));
    EXPECT_EQ(Theme(*qApp).mode(), ThemeMode::Dark);
    theme.setMode(ThemeMode::Light);
    EXPECT_FALSE(tokens().dark);
}

TEST(IconTest, EveryIconDrawsSomethingInTheThemesColour) {
    Theme theme(*qApp);
    int icons = 0;
    for (QDirIterator it(QStringLiteral(":/icons"), {QStringLiteral("*.svg")}); it.hasNext();) {
        const QString name = QFileInfo(it.next()).completeBaseName();
        if (name == QStringLiteral("upcycler")) continue;
        ++icons;
        for (const ThemeMode mode : {ThemeMode::Light, ThemeMode::Dark}) {
            theme.setMode(mode);
            const QImage image = icon(name, IconTone::Text)
                                     .pixmap(QSize(20, 20), 2.0)
                                     .toImage()
                                     .convertToFormat(QImage::Format_ARGB32);
            EXPECT_EQ(image.size(), QSize(40, 40)) << name.toStdString();
            int inked = 0;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x) {
                    const QColor pixel = image.pixelColor(x, y);
                    if (pixel.alpha() < 250) continue;
                    ++inked;
                    EXPECT_EQ(pixel.rgb(), tokens().text.rgb());
                }
            EXPECT_GE(inked, 4) << name.toStdString();
        }
    }
    EXPECT_GE(icons, 30);
    EXPECT_TRUE(icon(QStringLiteral("no-such-icon")).isNull());
}

}  // namespace
}  // namespace ui
