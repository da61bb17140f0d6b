// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/main_window.h"

#include "core/run/run_directory.h"
#include "ui/canvas/canvas_view.h"
#include "ui/charts/chart_widget.h"
#include "ui/compare/checkpoint_comparison.h"
#include "ui/compare/compare_modes.h"
#include "ui/compare/compare_workspace.h"
#include "ui/compare/cosine_map.h"
#include "ui/export/export_dialog.h"
#include "ui/models/tensor_model.h"
#include "ui/surgery/cost_bar.h"
#include "ui/surgery/plan_editor.h"
#include "ui/theme/theme.h"
#include "ui/train/train_workspace.h"
#include "ui/widgets/local_paths.h"
#include "ui/widgets/message_bar.h"
#include "ui/window/model_workspace.h"
#include "ui/window/nav_rail.h"
#include "ui/window/start_page.h"

#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QSettings>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace ui {
namespace {

const QString kGeometryKey = QStringLiteral("window/geometry");
const QString kSplitterKey = QStringLiteral("window/modelSplitter");
const QString kWorkspaceKey = QStringLiteral("window/workspace");
const QString kModelKey = QStringLiteral("session/model");
const QString kPlanKey = QStringLiteral("session/plan");
const QString kRunKey = QStringLiteral("session/run");
constexpr QSize kFirstSize(1280, 800);

}  // namespace

MainWindow::MainWindow(Theme& theme, Prompts prompts)
    : theme_(theme),
      prompts_(std::move(prompts)),
      document_(this),
      recent_(this),
      editor_(new PlanEditor(document_, this)) {
    setObjectName(QStringLiteral("mainWindow"));
    setAcceptDrops(true);
    buildBody();
    buildFileMenu();
    buildEditMenu();
    buildViewMenu();
    buildHelpMenu();
    connectDocument();
    connectWorkspaces();
    refreshRecentMenu();
    refreshActions();
    refreshTitle();
    resize(kFirstSize);
    const QSettings settings;
    restoreGeometry(settings.value(kGeometryKey).toByteArray());
    model_->restoreState(settings.value(kSplitterKey).toByteArray());
    showWorkspace(ModelTab);
    start_->setFocus();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildBody() {
    auto* body = new QWidget(this);
    rail_ = new NavRail(body);
    rail_->setFixedWidth(84);
    rail_->addItem(QStringLiteral("model"), tr("Model"));
    rail_->addItem(QStringLiteral("train"), tr("Train"));
    rail_->addItem(QStringLiteral("compare"), tr("Compare"));
    messages_ = new MessageBar(body);
    start_ = new StartPage(recent_, body);
    model_ = new ModelWorkspace(document_, *editor_, body);
    modelStack_ = new QStackedWidget(body);
    modelStack_->addWidget(start_);
    modelStack_->addWidget(model_);
    train_ = new TrainWorkspace(document_, body);
    compare_ = new CompareWorkspace(body);
    workspaces_ = new QStackedWidget(body);
    workspaces_->addWidget(modelStack_);
    workspaces_->addWidget(train_);
    checkpoints_ = new CheckpointComparison([this] { return recent_.paths(); }, body);
    compareModes_ = new CompareModes(compare_, checkpoints_, body);
    workspaces_->addWidget(compareModes_);
    costs_ = new CostBar(document_, body);

    auto* right = new QVBoxLayout;
    right->setSpacing(0);
    right->addWidget(messages_);
    right->addWidget(workspaces_, 1);
    right->addWidget(costs_);
    auto* row = new QHBoxLayout(body);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(rail_);
    row->addLayout(right, 1);
    setCentralWidget(body);
}

void MainWindow::connectDocument() {
    connect(&document_, &Document::openingChanged, this,
            [this](bool opening) { start_->setBusy(opening, QFileInfo(opening_).fileName()); });
    connect(&document_, &Document::opened, this, [this] {
        modelStack_->setCurrentWidget(model_);
        recent_.add(opening_);
        if (!planToLoad_.isEmpty()) document_.loadPlan(std::exchange(planToLoad_, {}));
        if (presetToApply_) editor_->applyPreset(*std::exchange(presetToApply_, {}));
        model_->canvas().setFocus();
        showNotes(document_.model().checkpoint->notes());
        refreshActions();
        refreshTitle();
    });
    connect(&document_, &Document::headsAsked, this, [this](const QString& model, qint64 hidden) {
        const std::int64_t heads = prompts_.heads(this, model, hidden);
        if (heads < 1) return refreshTitle();
        core::OpenOptions options;
        options.heads = heads;
        document_.open(model, options);
    });
    connect(&document_, &Document::closed, this, [this] {
        modelStack_->setCurrentWidget(start_);
        refreshActions();
        refreshTitle();
    });
    connect(&document_, &Document::failed, this, [this](const ErrorText& error) {
        planToLoad_.clear();
        presetToApply_.reset();
        messages_->showError(error);
        refreshTitle();
    });
    connect(&document_, &Document::refused, messages_, &MessageBar::showError);
    connect(&document_, &Document::planChanged, this, &MainWindow::refreshActions);
    connect(&document_, &Document::selectionChanged, this, &MainWindow::refreshActions);
    connect(&document_, &Document::modifiedChanged, this, &MainWindow::setWindowModified);
    connect(&recent_, &RecentFiles::changed, this, &MainWindow::refreshRecentMenu);
}

/// What the checkpoint's reader found on the way.
void MainWindow::showNotes(const std::vector<std::string>& notes) {
    if (notes.empty()) return;
    QStringList texts;
    for (const std::string& note : notes) texts.push_back(asSentence(printableText(note)) + u'.');
    const QString first = texts.takeFirst();
    messages_->showMessage(MessageBar::Kind::Warning, first, texts.join(u' '));
}

void MainWindow::connectWorkspaces() {
    connect(rail_, &NavRail::selected, this,
            [this](int index) { showWorkspace(static_cast<Workspace>(index)); });
    connect(start_, &StartPage::openClicked, this, &MainWindow::openPath);
    connect(start_, &StartPage::openFileClicked, this,
            [this] { findChild<QAction*>(QStringLiteral("file.open"))->trigger(); });
    connect(start_, &StartPage::openFolderClicked, this,
            [this] { findChild<QAction*>(QStringLiteral("file.openFolder"))->trigger(); });
    connect(start_, &StartPage::openRunClicked, this,
            [this] { findChild<QAction*>(QStringLiteral("file.openRun"))->trigger(); });
    connect(costs_, &CostBar::warningsClicked, this, [this] {
        showWorkspace(ModelTab);
        document_.select({});
        if (auto* tabs = findChild<QTabWidget*>(QStringLiteral("inspector.tabs")))
            tabs->setCurrentIndex(0);
    });
    connect(train_, &TrainWorkspace::failed, messages_, &MessageBar::showError);
    connect(train_, &TrainWorkspace::runChanged, this, &MainWindow::refreshActions);
    connect(train_, &TrainWorkspace::openModelAsked, this, &MainWindow::openPath);
    connect(train_, &TrainWorkspace::exportAsked, this, [this](const QString& model) {
        auto* dialog = new ExportDialog(model, this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    connect(compare_, &CompareWorkspace::failed, messages_, &MessageBar::showError);
    connect(compare_, &CompareWorkspace::openRunAsked, this, &MainWindow::openPath);
    connect(compareModes_, &CompareModes::changed, this, &MainWindow::refreshActions);
    connect(checkpoints_, &CheckpointComparison::chartChanged, this, &MainWindow::refreshActions);
    connect(checkpoints_, &CheckpointComparison::started, messages_, &MessageBar::dismiss);
    connect(checkpoints_, &CheckpointComparison::failed, messages_, &MessageBar::showError);
    connect(&checkpoints_->map(), &ChartWidget::exportFailed, this,
            [this](const QString& message, const QString& hint) {
                messages_->showError({core::ErrorKind::BadInput, message, hint});
            });
}

void MainWindow::showWorkspace(Workspace workspace) {
    rail_->setCurrent(workspace);
    workspaces_->setCurrentIndex(workspace);
    refreshActions();
}

MainWindow::PathKind MainWindow::kindOf(const QString& path) {
    const core::Path local = QFile::encodeName(path).toStdString();
    if (core::RunDirectory::isRun(local)) return PathKind::Run;
    const bool plan = path.endsWith(QStringLiteral(".json")) &&
                      !path.endsWith(QStringLiteral(".index.json")) &&
                      QFileInfo(path).fileName() != QStringLiteral("config.json");
    return plan ? PathKind::Plan : PathKind::Model;
}

void MainWindow::openPath(const QString& path) {
    switch (kindOf(path)) {
        case PathKind::Run:
            return openRun(path);
        case PathKind::Plan:
            return openPlan(path);
        case PathKind::Model:
            return openModel(path);
    }
}

void MainWindow::openPaths(const QStringList& paths) {
    QStringList models;
    for (const QString& path : paths)
        if (kindOf(path) == PathKind::Model) models << path;
    for (const QString& path : paths)
        if (models.size() < 2 || path == models.front() || kindOf(path) != PathKind::Model)
            openPath(path);
    if (models.size() < 2) return;
    compareCheckpoints(models[0], models[1]);
    if (models.size() > 2)
        messages_->showMessage(MessageBar::Kind::Info,
                               tr("Compared the first two of %1 checkpoints.").arg(models.size()),
                               tr("Choose others under A and B."));
}

void MainWindow::compareCheckpoints(const QString& a, const QString& b) {
    compareModes_->setMode(CompareModes::Checkpoints);
    showWorkspace(CompareTab);
    checkpoints_->compare(a, b);
}

void MainWindow::compareWithChosen() {
    if (!document_.hasModel()) return;
    const QString other = prompts_.openFile(this, tr("Compare With"), checkpointFilter());
    if (other.isEmpty()) return;
    compareCheckpoints(QFile::decodeName(document_.model().argument.c_str()), other);
}

void MainWindow::openModel(const QString& model) {
    if (!mayLeavePlan()) return;
    messages_->dismiss();
    opening_ = model;
    showWorkspace(ModelTab);
    document_.open(model);
}

void MainWindow::openRun(const QString& path) {
    messages_->dismiss();
    recent_.add(path);
    train_->openRun(path);
    if (compare_->folder().isEmpty()) compare_->openFolder(QFileInfo(path).absolutePath());
    showWorkspace(TrainTab);
}

void MainWindow::openPlan(const QString& path) {
    if (document_.isOpening())
        planToLoad_ = path;
    else if (document_.hasModel())
        document_.loadPlan(path);
    else
        messages_->showError({core::ErrorKind::Usage, tr("%1 is a plan.").arg(path),
                              tr("Open the checkpoint that it is for first.")});
}

void MainWindow::applyPresetWhenOpened(const core::PresetChoice& choice) {
    presetToApply_ = choice;
}

bool MainWindow::mayLeavePlan() {
    if (!document_.hasModel() || !document_.isModified()) return true;
    switch (prompts_.unsavedPlan(this, document_.model().name())) {
        case Prompts::Unsaved::Save:
            return savePlan();
        case Prompts::Unsaved::Discard:
            return true;
        case Prompts::Unsaved::Cancel:
            break;
    }
    return false;
}

bool MainWindow::savePlan() {
    return document_.planFile().isEmpty() ? savePlanAs() : document_.savePlan(document_.planFile());
}

bool MainWindow::savePlanAs() {
    if (!document_.hasModel()) return false;
    const QString file =
        prompts_.saveFile(this, tr("Save Plan"), QStringLiteral("plan.json"), tr("Plans (*.json)"));
    if (file.isEmpty() || !document_.savePlan(file)) return false;
    refreshTitle();
    return true;
}

void MainWindow::loadPlan() {
    const QString file = prompts_.openFile(this, tr("Load Plan"), tr("Plans (*.json)"));
    if (!file.isEmpty() && document_.loadPlan(file)) refreshTitle();
}

void MainWindow::exportCheckpoint() {
    if (!document_.hasModel()) return;
    auto* dialog = new ExportDialog(document_.sharedModel(), document_.plan(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

ChartWidget* MainWindow::currentChart() const {
    switch (workspaces_->currentIndex()) {
        case TrainTab:
            return train_->currentChart();
        case CompareTab:
            if (compareModes_->mode() == CompareModes::Checkpoints)
                return checkpoints_->currentChart();
            return compare_->currentChart();
        default:
            return nullptr;
    }
}

void MainWindow::refreshTitle() {
    setWindowModified(document_.isModified());
    if (!document_.hasModel()) {
        setWindowTitle(tr("Upcycler"));
        return;
    }
    QString name = document_.model().name();
    if (!document_.planFile().isEmpty())
        name += QStringLiteral(" · ") + QFileInfo(document_.planFile()).fileName();
    setWindowTitle(tr("%1[*] – Upcycler").arg(name));
}

void MainWindow::saveSession() {
    QSettings settings;
    settings.setValue(kGeometryKey, saveGeometry());
    settings.setValue(kSplitterKey, model_->saveState());
    settings.setValue(kWorkspaceKey, workspaces_->currentIndex());
    settings.setValue(kModelKey, document_.hasModel()
                                     ? QFile::decodeName(document_.model().argument.c_str())
                                     : QString());
    settings.setValue(kPlanKey, document_.hasModel() ? document_.planFile() : QString());
    settings.setValue(kRunKey, train_->runPath());
}

void MainWindow::restoreSession() {
    const QSettings settings;
    const QString model = settings.value(kModelKey).toString();
    if (QFileInfo::exists(model)) {
        openModel(model);
        const QString plan = settings.value(kPlanKey).toString();
        if (QFileInfo::exists(plan)) planToLoad_ = plan;
    }
    const QString run = settings.value(kRunKey).toString();
    if (QFileInfo::exists(run)) {
        train_->openRun(run);
        const int workspace = settings.value(kWorkspaceKey).toInt();
        showWorkspace(static_cast<Workspace>(std::clamp<int>(workspace, ModelTab, CompareTab)));
    }
}

void MainWindow::closeEvent(QCloseEvent* event) {
    const bool stay = train_->isTraining() && !prompts_.closeWhileTraining(this, train_->runPath());
    if (stay || !mayLeavePlan()) {
        event->ignore();
        return;
    }
    saveSession();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!localPaths(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    event->acceptProposedAction();
    openPaths(localPaths(*event->mimeData()));
}

}  // namespace ui
