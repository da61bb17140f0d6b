// SPDX-License-Identifier: GPL-3.0-or-later
// upcycler_screenshots MODEL RUN|- OUTDIR: the real window in its states, as PNGs named
// STATE-light.png and STATE-dark.png ("@2x" before .png under QT_SCALE_FACTOR=2).
#include "core/surgery/plan.h"
#include "ui/export/export_dialog.h"
#include "ui/surgery/plan_editor.h"
#include "ui/theme/theme.h"
#include "ui/train/train_workspace.h"
#include "ui/widgets/message_bar.h"
#include "ui/window/main_window.h"
#include "ui/window/model_workspace.h"
#include "ui/window/translations.h"

#include <QApplication>
#include <QDir>
#include <QPainter>
#include <QSettings>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kSettleMs = 500;
constexpr int kLongestMs = 30'000;

class Photographer {
  public:
    Photographer(ui::Theme& theme, ui::MainWindow& window, QString folder)
        : theme_(theme), window_(window), folder_(std::move(folder)) {}

    void take(const QString& state) {
        for (const bool dark : {false, true}) {
            theme_.setMode(dark ? ui::ThemeMode::Dark : ui::ThemeMode::Light);
            QTest::qWait(kSettleMs);
            save(state, dark);
        }
    }

  private:
    void save(const QString& state, bool dark) {
        QPixmap picture = window_.grab();
        for (QDialog* dialog : window_.findChildren<QDialog*>()) {
            if (!dialog->isVisible()) continue;
            QPainter painter(&picture);
            painter.fillRect(window_.rect(), QColor(0, 0, 0, 90));
            const QPoint at = window_.rect().center() - dialog->rect().center();
            painter.drawPixmap(at, dialog->grab());
        }
        const QString scale = picture.devicePixelRatio() > 1.5 ? QStringLiteral("@2x") : QString();
        const QString name =
            QStringLiteral("%1-%2%3.png")
                .arg(state, dark ? QStringLiteral("dark") : QStringLiteral("light"), scale);
        if (!picture.save(QDir(folder_).filePath(name))) {
            std::fprintf(stderr, "cannot write %s\n", qPrintable(name));
            std::exit(EXIT_FAILURE);
        }
    }

    ui::Theme& theme_;
    ui::MainWindow& window_;
    QString folder_;
};

void modelStates(ui::MainWindow& window, Photographer& camera) {
    camera.take(QStringLiteral("model-dense"));
    window.editor().applyPreset({core::Preset::Paper, 0});
    window.editor().setExperts(8);
    camera.take(QStringLiteral("model-paper"));
    auto* tabs = window.findChild<QTabWidget*>(QStringLiteral("inspector.tabs"));
    window.document().select({{window.document().model().spec.blocks.back().name, ui::Part::Mlp}});
    tabs->setCurrentIndex(1);
    camera.take(QStringLiteral("model-tensors"));
    tabs->setCurrentIndex(0);
    window.document().select({});
    camera.take(QStringLiteral("model-overview"));
}

void dialogStates(ui::MainWindow& window, Photographer& camera) {
    for (const auto& [action, state] :
         {std::pair{"file.export", "export"}, std::pair{"help.shortcuts", "shortcuts"},
          std::pair{"help.about", "about"}}) {
        window.findChild<QAction*>(QString::fromLatin1(action))->trigger();
        camera.take(QString::fromLatin1(state));
        for (QDialog* dialog : window.findChildren<QDialog*>()) dialog->close();
        QTest::qWait(kSettleMs / 5);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    const QStringList arguments = QApplication::arguments();
    if (arguments.size() != 4) {
        std::fprintf(stderr, "usage: upcycler_screenshots MODEL RUN|- OUTDIR\n");
        return 2;
    }
    QCoreApplication::setOrganizationName(QStringLiteral("Upcycler"));
    QCoreApplication::setApplicationName(QStringLiteral("upcycler-screenshots"));
    const QTemporaryDir settings;
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
    QDir().mkpath(arguments[3]);

    ui::Theme theme(application);
    ui::installTranslations(application);
    ui::MainWindow window(theme);
    window.resize(1280, 800);
    window.show();
    Photographer camera(theme, window, arguments[3]);
    camera.take(QStringLiteral("start"));
    window.openPath(arguments[1]);
    if (!QTest::qWaitFor([&] { return window.document().hasModel(); }, kLongestMs)) {
        std::fprintf(stderr, "%s\n", qPrintable(window.messages().message()));
        return EXIT_FAILURE;
    }
    modelStates(window, camera);
    dialogStates(window, camera);
    window.messages().showError(
        {core::ErrorKind::BadInput,
         QStringLiteral("vit-b16/model.safetensors: the header says 86.4 MB of "
                        "data, the file holds 43.1 MB"),
         QStringLiteral("download it again: the file has been cut")});
    camera.take(QStringLiteral("message"));
    window.messages().dismiss();
    window.showWorkspace(ui::MainWindow::TrainTab);
    camera.take(QStringLiteral("train-new"));
    if (arguments[2] != QStringLiteral("-")) {
        window.openPath(arguments[2]);
        QTest::qWait(4 * kSettleMs);
        camera.take(QStringLiteral("train-run"));
    }
    window.showWorkspace(ui::MainWindow::CompareTab);
    camera.take(QStringLiteral("compare"));
    return EXIT_SUCCESS;
}
