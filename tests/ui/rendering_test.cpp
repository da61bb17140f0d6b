// SPDX-License-Identifier: GPL-3.0-or-later
// Looks at pixels and sizes: no text is cut, light is light, dark is dark, twice the pixels show
// the same picture.
#include "tests/ui/opened_window.h"
#include "ui/canvas/canvas_view.h"
#include "ui/export/export_dialog.h"
#include "ui/widgets/elided_label.h"
#include "ui/window/model_workspace.h"

#include <QAbstractButton>
#include <QImage>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QTabWidget>
#include <QToolButton>

#include <algorithm>

namespace ui {
namespace {

QImage render(QWidget& widget, double ratio) {
    QImage image((QSizeF(widget.size()) * ratio).toSize(), QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(ratio);
    image.fill(Qt::magenta);
    widget.render(&image);
    return image;
}

double meanLightness(const QImage& image) {
    const QImage small = image.scaled(64, 64, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    double sum = 0;
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64; ++x) sum += small.pixelColor(x, y).lightness();
    return sum / (64 * 64);
}

/// A label that does not wrap shows its whole text; buttons hold theirs.
void expectNothingCut(QWidget& root) {
    for (QLabel* label : root.findChildren<QLabel*>()) {
        if (!label->isVisible() || qobject_cast<ElidedLabel*>(label) != nullptr) continue;
        if (label->text().isEmpty()) continue;
        if (label->wordWrap()) {
            EXPECT_GE(label->height(), label->heightForWidth(label->width()))
                << label->text().toStdString();
            continue;
        }
        EXPECT_GE(label->width(), label->sizeHint().width() - 1) << label->text().toStdString();
        EXPECT_GE(label->height(), label->fontMetrics().height() - 1)
            << label->text().toStdString();
    }
    for (QAbstractButton* button : root.findChildren<QAbstractButton*>()) {
        if (!button->isVisible() || button->text().isEmpty()) continue;
        const int text = button->fontMetrics().horizontalAdvance(
            QString(button->text()).remove(QLatin1Char('&')));
        EXPECT_GE(button->width(), text) << button->text().toStdString();
    }
}

class RenderingTest : public testing::OpenedWindow {
  protected:
    void showEverything() {
        openDense();
        window.editor().applyPreset({core::Preset::LastHalf, 0});
        window.editor().setExperts(128);
    }
};

TEST_F(RenderingTest, NoTextIsCutInAnyState) {
    expectNothingCut(window);
    showEverything();
    auto* tabs = window.findChild<QTabWidget*>(QStringLiteral("inspector.tabs"));
    for (const int width : {window.minimumSizeHint().width(), 1280, 1920}) {
        window.resize(width, 800);
        for (int tab = 0; tab < tabs->count(); ++tab) {
            tabs->setCurrentIndex(tab);
            QTest::qWait(30);
            expectNothingCut(window.modelWorkspace());
        }
        expectNothingCut(*window.findChild<QWidget*>(QStringLiteral("costBar")));
        expectNothingCut(*window.findChild<QWidget*>(QStringLiteral("navRail")));
    }
    ExportDialog dialog(window.document().sharedModel(), window.document().plan(), &window);
    dialog.show();
    QTest::qWait(30);
    expectNothingCut(dialog);
}

TEST_F(RenderingTest, TheWindowFitsASmallScreen) {
    showEverything();
    QTest::qWait(30);
    EXPECT_LE(window.minimumSizeHint().width(), 1024);
    EXPECT_LE(window.minimumSizeHint().height(), 700);
}

TEST_F(RenderingTest, LightIsLightAndDarkIsDark) {
    showEverything();
    theme.setMode(ThemeMode::Light);
    QTest::qWait(300);
    EXPECT_GT(meanLightness(render(window, 1)), 220);
    theme.setMode(ThemeMode::Dark);
    QTest::qWait(300);
    EXPECT_LT(meanLightness(render(window, 1)), 50);
    theme.setMode(ThemeMode::Light);
}

TEST_F(RenderingTest, TwiceThePixelsShowTheSamePicture) {
    theme.setMode(ThemeMode::Light);
    showEverything();
    window.document().select({});
    QTest::qWait(300);
    CanvasView& canvas = window.modelWorkspace().canvas();
    const QImage once = render(*canvas.viewport(), 1);
    QImage twice = render(*canvas.viewport(), 2);
    ASSERT_EQ(twice.size(), once.size() * 2);
    twice.setDevicePixelRatio(1);
    const QImage shrunk =
        twice.scaled(once.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    double difference = 0;
    for (int y = 0; y < once.height(); ++y)
        for (int x = 0; x < once.width(); ++x)
            difference +=
                std::abs(once.pixelColor(x, y).lightness() - shrunk.pixelColor(x, y).lightness());
    EXPECT_LT(difference / (once.width() * once.height()), 4);
}

TEST_F(RenderingTest, AnMoeCellShowsItsExpertsInTheAccentColour) {
    theme.setMode(ThemeMode::Light);
    openDense();
    CanvasView& canvas = window.modelWorkspace().canvas();
    const auto accentPixels = [&] {
        QTest::qWait(300);
        const QImage image = render(*canvas.viewport(), 1);
        const QRect cell =
            canvas.cellRect({"encoder.1", Part::Mlp}).toRect().adjusted(4, 4, -50, -4);
        int count = 0;
        for (int y = cell.top(); y < cell.bottom(); ++y)
            for (int x = cell.left(); x < cell.right(); ++x)
                count += image.pixelColor(x, y).rgb() == tokens().accent.rgb();
        return count;
    };
    EXPECT_EQ(accentPixels(), 0);
    window.editor().switchBlocks({"encoder.1"}, true);
    window.editor().setExperts(4);
    const int four = accentPixels();
    EXPECT_GT(four, 100);
    window.editor().setExperts(16);
    EXPECT_GT(accentPixels(), four);
}

}  // namespace
}  // namespace ui
