// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/plan.h"
#include "ui/document/document.h"
#include "ui/window/prompts.h"
#include "ui/window/recent_files.h"

#include <QMainWindow>

#include <optional>
#include <string>
#include <vector>

class QAction;
class QMenu;
class QStackedWidget;

namespace ui {

class ChartWidget;
class CheckpointComparison;
class CompareModes;
class CompareWorkspace;
class CostBar;
class MessageBar;
class ModelWorkspace;
class NavRail;
class PlanEditor;
class StartPage;
class Theme;
class TrainWorkspace;

/// The window: rail, three workspaces, message bar, cost bar, menus.
class MainWindow : public QMainWindow {
    Q_OBJECT

  public:
    enum Workspace { ModelTab, TrainTab, CompareTab };

    /// `theme` outlives the window.
    explicit MainWindow(Theme& theme, Prompts prompts = desktopPrompts());
    ~MainWindow() override;

    /// What the command line, a drop or a menu names: a checkpoint file or folder, a run, a plan.
    void openPath(const QString& path);
    /// Several of them, as the command line and a drop give them: two checkpoints are opened (the
    /// first) and compared with each other; everything else as by openPath.
    void openPaths(const QStringList& paths);
    /// Shows what changed from A to B.
    void compareCheckpoints(const QString& a, const QString& b);
    /// Applied once the checkpoint that is being opened is there.
    void applyPresetWhenOpened(const core::PresetChoice& choice);
    /// Opens what the last session had open.
    void restoreSession();
    void showWorkspace(Workspace workspace);

    Document& document() { return document_; }
    PlanEditor& editor() { return *editor_; }
    MessageBar& messages() { return *messages_; }
    ModelWorkspace& modelWorkspace() { return *model_; }
    TrainWorkspace& trainWorkspace() { return *train_; }
    CompareWorkspace& compareWorkspace() { return *compare_; }
    CompareModes& compareModes() { return *compareModes_; }
    CheckpointComparison& checkpointComparison() { return *checkpoints_; }

  protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void buildBody();
    void buildFileMenu();
    void buildEditMenu();
    void buildViewMenu();
    void buildHelpMenu();
    void connectDocument();
    void showNotes(const std::vector<std::string>& notes);
    void connectWorkspaces();
    QAction* addAction(QMenu* menu, const QString& name, const QString& text,
                       const QKeySequence& shortcut, const std::function<void()>& run);
    void refreshRecentMenu();
    void refreshActions();
    void refreshTitle();

    void openModel(const QString& model);
    void openRun(const QString& path);
    void openPlan(const QString& path);
    enum class PathKind { Model, Run, Plan };
    static PathKind kindOf(const QString& path);
    void compareWithChosen();
    static QString checkpointFilter();
    bool savePlan();
    bool savePlanAs();
    void loadPlan();
    void exportCheckpoint();
    void exportChart();
    /// Of the workspace that is shown; nullptr where there is none.
    ChartWidget* currentChart() const;
    /// Whether the present plan may go (saved, discarded or unchanged).
    bool mayLeavePlan();
    void saveSession();

    Theme& theme_;
    Prompts prompts_;
    Document document_;
    RecentFiles recent_;
    PlanEditor* editor_;

    NavRail* rail_ = nullptr;
    MessageBar* messages_ = nullptr;
    QStackedWidget* workspaces_ = nullptr;
    QStackedWidget* modelStack_ = nullptr;
    StartPage* start_ = nullptr;
    ModelWorkspace* model_ = nullptr;
    TrainWorkspace* train_ = nullptr;
    CompareWorkspace* compare_ = nullptr;
    CheckpointComparison* checkpoints_ = nullptr;
    CompareModes* compareModes_ = nullptr;
    CostBar* costs_ = nullptr;
    QMenu* recentMenu_ = nullptr;
    QString opening_;
    QString planToLoad_;
    std::optional<core::PresetChoice> presetToApply_;
};

}  // namespace ui
