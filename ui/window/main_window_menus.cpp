// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_view.h"
#include "ui/charts/chart_widget.h"
#include "ui/inspect/inspector.h"
#include "ui/surgery/plan_editor.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/train/train_workspace.h"
#include "ui/widgets/message_bar.h"
#include "ui/window/about_dialog.h"
#include "ui/window/main_window.h"
#include "ui/window/model_workspace.h"
#include "ui/window/shortcuts_dialog.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>

namespace ui {
namespace {

constexpr double kZoomStep = 1.2;

}  // namespace

QString MainWindow::checkpointFilter() {
    return tr(
        "Checkpoints (*.safetensors *.index.json *.h5 *.hdf5 *.npz *.bin *.pt *.pth);;All files "
        "(*)");
}

QAction* MainWindow::addAction(QMenu* menu, const QString& name, const QString& text,
                               const QKeySequence& shortcut, const std::function<void()>& run) {
    QAction* action = menu->addAction(text);
    action->setObjectName(name);
    action->setShortcut(shortcut);
    connect(action, &QAction::triggered, this, [run] { run(); });
    return action;
}

void MainWindow::buildFileMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    addAction(menu, QStringLiteral("file.open"), tr("&Open File…"), QKeySequence::Open, [this] {
        const QString file = prompts_.openFile(this, tr("Open Checkpoint"), checkpointFilter());
        if (!file.isEmpty()) openPath(file);
    });
    addAction(menu, QStringLiteral("file.openFolder"), tr("Open &Folder…"),
              Qt::CTRL | Qt::SHIFT | Qt::Key_O, [this] {
                  const QString folder = prompts_.openFolder(this, tr("Open Checkpoint Folder"));
                  if (!folder.isEmpty()) openPath(folder);
              });
    addAction(menu, QStringLiteral("file.openRun"), tr("Open &Run…"), Qt::CTRL | Qt::Key_R, [this] {
        const QString folder = prompts_.openFolder(this, tr("Open Run"));
        if (!folder.isEmpty()) openRun(folder);
    });
    recentMenu_ = menu->addMenu(tr("Open Re&cent"));
    addAction(menu, QStringLiteral("file.compareWith"), tr("Compare &With…"),
              Qt::CTRL | Qt::SHIFT | Qt::Key_D, [this] { compareWithChosen(); });
    menu->addSeparator();
    addAction(menu, QStringLiteral("file.loadPlan"), tr("&Load Plan…"), Qt::CTRL | Qt::Key_L,
              [this] { loadPlan(); });
    addAction(menu, QStringLiteral("file.savePlan"), tr("&Save Plan"), QKeySequence::Save,
              [this] { savePlan(); });
    addAction(menu, QStringLiteral("file.savePlanAs"), tr("Save Plan &As…"), QKeySequence::SaveAs,
              [this] { savePlanAs(); });
    menu->addSeparator();
    addAction(menu, QStringLiteral("file.export"), tr("&Export Checkpoint…"), Qt::CTRL | Qt::Key_E,
              [this] { exportCheckpoint(); });
    addAction(menu, QStringLiteral("file.exportChart"), tr("Export C&hart…"),
              Qt::CTRL | Qt::SHIFT | Qt::Key_E, [this] { exportChart(); });
    menu->addSeparator();
    addAction(menu, QStringLiteral("file.close"), tr("&Close Checkpoint"), QKeySequence::Close,
              [this] {
                  if (mayLeavePlan()) document_.close();
              });
    addAction(menu, QStringLiteral("file.quit"), tr("&Quit"), Qt::CTRL | Qt::Key_Q,
              [this] { close(); });
}

void MainWindow::buildEditMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Edit"));
    QAction* undo = document_.undoStack().createUndoAction(this, tr("&Undo"));
    undo->setObjectName(QStringLiteral("edit.undo"));
    undo->setShortcut(QKeySequence::Undo);
    undo->setData(tr("&Undo"));  // its text says what it would undo
    undo->setIcon(icon(QStringLiteral("undo")));
    QAction* redo = document_.undoStack().createRedoAction(this, tr("&Redo"));
    redo->setObjectName(QStringLiteral("edit.redo"));
    redo->setShortcuts({QKeySequence(QKeySequence::Redo), QKeySequence(Qt::CTRL | Qt::Key_Y)});
    redo->setData(tr("&Redo"));
    redo->setIcon(icon(QStringLiteral("redo")));
    menu->addAction(undo);
    menu->addAction(redo);
    menu->addSeparator();
    addAction(menu, QStringLiteral("edit.selectMlps"), tr("Select &All MLPs"), {},
              [this] { model_->canvas().selectAllMlps(); });
    addAction(menu, QStringLiteral("edit.selectMoes"), tr("Select &MoE Layers"),
              Qt::CTRL | Qt::SHIFT | Qt::Key_A, [this] {
                  std::set<CellId> cells;
                  for (const auto& [name, layer] : document_.plan().layers)
                      cells.insert({name, Part::Mlp});
                  document_.select(std::move(cells));
              });
    addAction(menu, QStringLiteral("edit.selectNone"), tr("Select &None"), {},
              [this] { document_.select({}); });
    menu->addSeparator();
    addAction(menu, QStringLiteral("edit.makeMoe"), tr("Make &MoE"), Qt::CTRL | Qt::Key_M,
              [this] { editor_->switchBlocks(document_.selectedMlps(), true); });
    addAction(menu, QStringLiteral("edit.makeDense"), tr("Make &Dense"), Qt::CTRL | Qt::Key_D,
              [this] { editor_->switchBlocks(document_.selectedMoes(), false); });
}

void MainWindow::buildViewMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&View"));
    const auto workspace = [&](const QString& name, const QString& text, Qt::Key key,
                               Workspace which) {
        addAction(menu, name, text, Qt::CTRL | key, [this, which] { showWorkspace(which); });
    };
    workspace(QStringLiteral("view.model"), tr("&Model"), Qt::Key_1, ModelTab);
    workspace(QStringLiteral("view.train"), tr("&Train"), Qt::Key_2, TrainTab);
    workspace(QStringLiteral("view.compare"), tr("&Compare"), Qt::Key_3, CompareTab);
    menu->addSeparator();
    addAction(menu, QStringLiteral("view.tensors"), tr("T&ensor Table"), Qt::CTRL | Qt::Key_T,
              [this] {
                  showWorkspace(ModelTab);
                  model_->inspector().showTensorTable();
              });
    menu->addSeparator();
    CanvasView& canvas = model_->canvas();
    addAction(menu, QStringLiteral("view.zoomIn"), tr("Zoom &In"), QKeySequence::ZoomIn,
              [&canvas] { canvas.setZoom(canvas.zoom() * kZoomStep); });
    addAction(menu, QStringLiteral("view.zoomOut"), tr("Zoom &Out"), QKeySequence::ZoomOut,
              [&canvas] { canvas.setZoom(canvas.zoom() / kZoomStep); });
    addAction(menu, QStringLiteral("view.zoomFit"), tr("Zoom to &Fit"), Qt::CTRL | Qt::Key_0,
              [&canvas] { canvas.zoomToFit(); });
    menu->addSeparator();
    QMenu* themes = menu->addMenu(tr("T&heme"));
    auto* group = new QActionGroup(this);
    const auto theme = [&](const QString& name, const QString& text, ThemeMode mode) {
        QAction* action = addAction(themes, name, text, {}, [this, mode] { theme_.setMode(mode); });
        action->setCheckable(true);
        action->setChecked(theme_.mode() == mode);
        group->addAction(action);
    };
    theme(QStringLiteral("view.theme.system"), tr("&System"), ThemeMode::System);
    theme(QStringLiteral("view.theme.light"), tr("&Light"), ThemeMode::Light);
    theme(QStringLiteral("view.theme.dark"), tr("&Dark"), ThemeMode::Dark);
}

void MainWindow::buildHelpMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Help"));
    addAction(menu, QStringLiteral("help.shortcuts"), tr("&Keyboard Shortcuts"), Qt::Key_F1,
              [this] { showShortcuts(*this); });
    addAction(menu, QStringLiteral("help.about"), tr("&About Upcycler"), {},
              [this] { showAbout(*this); });
}

void MainWindow::refreshRecentMenu() {
    recentMenu_->clear();
    for (const QString& path : recent_.paths()) {
        QString text = path;
        QAction* action =
            recentMenu_->addAction(text.replace(QLatin1Char('&'), QStringLiteral("&&")));
        connect(action, &QAction::triggered, this, [this, path] { openPath(path); });
    }
    recentMenu_->setEnabled(!recent_.paths().isEmpty());
    recentMenu_->addSeparator();
    QAction* clear = recentMenu_->addAction(tr("&Clear"));
    connect(clear, &QAction::triggered, &recent_, &RecentFiles::clear);
}

void MainWindow::refreshActions() {
    const bool model = document_.hasModel();
    const auto enable = [this](const QString& name, bool on) {
        if (auto* action = findChild<QAction*>(name)) action->setEnabled(on);
    };
    for (const QString& name :
         {QStringLiteral("file.loadPlan"), QStringLiteral("file.savePlan"),
          QStringLiteral("file.savePlanAs"), QStringLiteral("file.export"),
          QStringLiteral("file.close"), QStringLiteral("file.compareWith"),
          QStringLiteral("edit.selectMlps"), QStringLiteral("edit.selectNone"),
          QStringLiteral("view.tensors"), QStringLiteral("view.zoomIn"),
          QStringLiteral("view.zoomOut"), QStringLiteral("view.zoomFit")})
        enable(name, model);
    enable(QStringLiteral("edit.selectMoes"), model && !document_.plan().layers.empty());
    enable(QStringLiteral("edit.makeMoe"), model && !document_.selectedMlps().empty());
    enable(QStringLiteral("edit.makeDense"), model && !document_.selectedMoes().empty());
    enable(QStringLiteral("file.exportChart"), currentChart() != nullptr);
}

void MainWindow::exportChart() {
    ChartWidget* chart = currentChart();
    if (chart == nullptr) return;
    QString file = prompts_.saveFile(this, tr("Export Chart “%1”").arg(chart->title()),
                                     chart->fileName(QStringLiteral("svg")),
                                     tr("Pictures and data (*.svg *.png *.csv)"));
    if (file.isEmpty()) return;
    if (QFileInfo(file).suffix().isEmpty()) file += QStringLiteral(".svg");
    try {
        chart->exportTo(file);
        messages_->showMessage(MessageBar::Kind::Success,
                               tr("Exported the chart “%1”.").arg(chart->title()), file);
    } catch (...) {
        messages_->showError(errorTextOf(std::current_exception()));
    }
}

}  // namespace ui
