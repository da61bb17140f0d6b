// SPDX-License-Identifier: GPL-3.0-or-later
// upcycler_screenshots MODEL RUN|- OUTDIR [WIDTHxHEIGHT [STATE...]]: the real window in its states
// (or those named), as PNGs named STATE-light.png and STATE-dark.png ("@2x" before .png under
// QT_SCALE_FACTOR=2). Compare shows the runs of the folder that RUN lies in, and MODEL beside the
// checkpoint that UPCYCLER_OTHER names; UPCYCLER_UNKNOWN_HEADS
// names a ViT whose number of heads nothing tells.
#include "core/surgery/plan.h"
#include "ui/canvas/canvas_view.h"
#include "ui/compare/checkpoint_comparison.h"
#include "ui/compare/compare_modes.h"
#include "ui/export/export_dialog.h"
#include "ui/inspect/matrix_canvas.h"
#include "ui/inspect/tensor_picture.h"
#include "ui/surgery/plan_editor.h"
#include "ui/theme/theme.h"
#include "ui/train/job_page.h"
#include "ui/train/run_charts.h"
#include "ui/train/tokenizer_dialog.h"
#include "ui/train/train_workspace.h"
#include "ui/widgets/message_bar.h"
#include "ui/window/main_window.h"
#include "ui/window/model_workspace.h"
#include "ui/window/translations.h"

#include <QAction>
#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QLineEdit>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSettings>
#include <QSpinBox>
#include <QStringList>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kSettleMs = 500;
constexpr int kLongestMs = 30'000;

class Photographer {
  public:
    Photographer(ui::Theme& theme, ui::MainWindow& window, QString folder, QStringList states)
        : theme_(theme), window_(window), folder_(std::move(folder)), states_(std::move(states)) {}

    void take(const QString& state) {
        if (!states_.isEmpty() && !states_.contains(state)) return;
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
            dialog->adjustSize();
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
    QStringList states_;  ///< all when empty
};

QSize sizeFrom(const QStringList& arguments) {
    if (arguments.size() < 5) return {1280, 800};
    const QStringList sides = arguments[4].split(QLatin1Char('x'));
    return sides.size() == 2 ? QSize(sides[0].toInt(), sides[1].toInt()) : QSize();
}

void modelStates(ui::MainWindow& window, Photographer& camera) {
    camera.take(QStringLiteral("dense"));
    window.editor().applyPreset({core::Preset::Paper, 0});
    window.editor().setExperts(8);
    camera.take(QStringLiteral("model"));
    auto* tabs = window.findChild<QTabWidget*>(QStringLiteral("inspector.tabs"));
    const std::vector<core::BlockSpec>& blocks = window.document().model().spec.blocks;
    window.document().select({{blocks[blocks.size() / 2].name, ui::Part::Mlp}});
    tabs->setCurrentIndex(1);
    camera.take(QStringLiteral("inspector"));
    window.document().select({});
    camera.take(QStringLiteral("tensors"));
    window.findChild<QAction*>(QStringLiteral("view.tensors"))->trigger();
    QTest::qWait(2 * kSettleMs);
    window.findChild<QTableView*>(QStringLiteral("tensorTable"))->selectRow(12);
    camera.take(QStringLiteral("tensor-table"));
    window.findChild<QPushButton*>(QStringLiteral("stats.picture"))->click();
    auto* picture = window.findChild<ui::TensorPicture*>();
    picture->canvas().setCursorCell(ui::MatrixCanvas::Cell{20, 30});
    camera.take(QStringLiteral("tensor-picture"));
    picture->canvas().zoomBy(2.5);
    camera.take(QStringLiteral("tensor-picture-near"));
    picture->close();
    tabs->setCurrentIndex(0);
    camera.take(QStringLiteral("overview"));
    window.document().select({{blocks.front().name, ui::Part::Mlp}});
    camera.take(QStringLiteral("selected-dense"));
    window.document().select({});
}

/// What the mouse rests on.
void hoverStates(ui::MainWindow& window, Photographer& camera) {
    ui::CanvasView& canvas = window.modelWorkspace().canvas();
    const auto rest = [&](const ui::CellId& cell) {
        QTest::mouseMove(canvas.viewport(), canvas.cellRect(cell).center().toPoint());
    };
    const std::vector<core::BlockSpec>& blocks = window.document().model().spec.blocks;
    rest({blocks.front().name, ui::Part::Mlp});
    camera.take(QStringLiteral("hover-dense"));
    rest({blocks.back().name, ui::Part::Mlp});
    camera.take(QStringLiteral("hover-moe"));
    rest({blocks.front().name, ui::Part::Attention});
    camera.take(QStringLiteral("hover-attention"));
    QTest::mouseMove(&window, {5, 5});
}

/// The form from its beginning to its end, and the tokenizer's dialog where there are texts.
void formStates(ui::MainWindow& window, Photographer& camera) {
    window.showWorkspace(ui::MainWindow::TrainTab);
    camera.take(QStringLiteral("train-new"));
    auto* page = window.trainWorkspace().jobPage().findChild<QScrollArea*>();
    QTest::qWait(kSettleMs);
    page->verticalScrollBar()->setValue(page->verticalScrollBar()->maximum());
    camera.take(QStringLiteral("train-new-end"));
    page->verticalScrollBar()->setValue(0);
    auto* button = window.findChild<QPushButton*>(QStringLiteral("job/train-tokenizer"));
    if (!button->isVisible()) return;
    button->click();
    camera.take(QStringLiteral("tokenizer"));
    auto* dialog = window.findChild<ui::TokenizerDialog*>();
    auto* vocabulary = dialog->findChild<QSpinBox*>(QStringLiteral("tokenizer.vocabulary"));
    vocabulary->setValue(100 * vocabulary->value());
    dialog->findChild<QLineEdit*>(QStringLiteral("tokenizer.target"))->setText(QDir::homePath());
    camera.take(QStringLiteral("tokenizer-refused"));
    dialog->close();
}

/// The question for what nothing in a checkpoint tells.
void headsState(ui::MainWindow& window, Photographer& camera) {
    const QString model = qEnvironmentVariable("UPCYCLER_UNKNOWN_HEADS");
    if (model.isEmpty()) return;
    bool asked = false;
    window.openPath(model);
    QTimer::singleShot(2 * kSettleMs, &window, [&] {
        camera.take(QStringLiteral("heads"));
        for (QDialog* dialog : window.findChildren<QDialog*>()) dialog->reject();
        asked = true;
    });
    if (!QTest::qWaitFor([&] { return asked; }, kLongestMs)) std::exit(EXIT_FAILURE);
}

/// Different settings in different layers, and warnings.
void mixedStates(ui::MainWindow& window, Photographer& camera) {
    core::SurgeryPlan plan = window.document().plan();
    if (plan.layers.empty()) return;
    core::LayerPlan& last = plan.layers.rbegin()->second;
    last.moe.experts = 32;
    last.moe.router = core::RouterKind::TopK;
    last.moe.k = 2;
    last.moe.capacity = 0.25;
    window.document().edit(QStringLiteral("mixed"), plan);
    window.findChild<QAction*>(QStringLiteral("edit.selectMlps"))->trigger();
    camera.take(QStringLiteral("mixed"));
    window.document().select({});
    camera.take(QStringLiteral("warnings"));
    window.document().undoStack().undo();
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
    if (arguments.size() < 4 || sizeFrom(arguments).isEmpty()) {
        std::fprintf(stderr,
                     "usage: upcycler_screenshots MODEL RUN|- OUTDIR [WIDTHxHEIGHT [STATE...]]\n");
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
    window.resize(sizeFrom(arguments));
    window.show();
    Photographer camera(theme, window, arguments[3], arguments.mid(5));
    camera.take(QStringLiteral("start"));
    headsState(window, camera);
    window.openPath(arguments[1]);
    if (!QTest::qWaitFor([&] { return window.document().hasModel(); }, kLongestMs)) {
        std::fprintf(stderr, "%s\n", qPrintable(window.messages().message()));
        return EXIT_FAILURE;
    }
    modelStates(window, camera);
    hoverStates(window, camera);
    mixedStates(window, camera);
    dialogStates(window, camera);
    window.messages().showError(
        {core::ErrorKind::BadInput,
         QStringLiteral("vit-b16/model.safetensors: the header says 86.4 MB of "
                        "data, the file holds 43.1 MB"),
         QStringLiteral("download it again: the file has been cut")});
    camera.take(QStringLiteral("message"));
    window.messages().dismiss();
    formStates(window, camera);
    window.showWorkspace(ui::MainWindow::CompareTab);
    camera.take(QStringLiteral("compare-none"));
    window.compareModes().setMode(ui::CompareModes::Checkpoints);
    camera.take(QStringLiteral("checkpoints-none"));
    if (const QString other = qEnvironmentVariable("UPCYCLER_OTHER"); !other.isEmpty()) {
        window.compareCheckpoints(arguments[1], other);
        camera.take(QStringLiteral("checkpoints-busy"));
        if (!QTest::qWaitFor([&] { return !window.checkpointComparison().isBusy(); }, kLongestMs))
            return EXIT_FAILURE;
        camera.take(QStringLiteral("checkpoints"));
    }
    window.compareModes().setMode(ui::CompareModes::Runs);
    if (arguments[2] == QStringLiteral("-")) return EXIT_SUCCESS;
    window.openPath(arguments[2]);
    const auto drawn = [&] {
        const ui::RunFollower& run = window.trainWorkspace().follower();
        return run.isOpen() && run.isCaughtUp();
    };
    if (!QTest::qWaitFor(drawn, kLongestMs)) return EXIT_FAILURE;
    QTest::qWait(kSettleMs);
    camera.take(QStringLiteral("train"));
    const ui::RunMetrics& metrics = window.trainWorkspace().follower().metrics();
    if (metrics.stacks().size() > 1) {
        window.trainWorkspace().charts().setLayer(QString::fromStdString(metrics.blocks().back()));
        camera.take(QStringLiteral("train-stacks"));
    }
    window.showWorkspace(ui::MainWindow::CompareTab);
    QTest::qWait(2 * kSettleMs);
    camera.take(QStringLiteral("compare"));
    return EXIT_SUCCESS;
}
