// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/plan.h"
#include "core/surgery/report.h"
#include "ui/document/error_text.h"
#include "ui/document/opened_model.h"

#include <QObject>
#include <QString>
#include <QUndoStack>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ui {

/// The opened checkpoint, the plan for it and what the plan comes to: the only thing that panels
/// edit. Opening happens in the background; a plan is compiled anew on each edit (pure, < 1 ms).
class Document : public QObject {
    Q_OBJECT

  public:
    explicit Document(QObject* parent = nullptr);
    ~Document() override;

    /// MODEL of the command line: a file, a folder, RUN, RUN@step. Ends in `opened` or `failed`; a
    /// newer call makes an older one void. What is open stays until the new one is ready.
    /// `options`: what the person said; `headsAsked` instead of `opened` when the heads are in no
    /// file.
    void open(const QString& model, const core::OpenOptions& options = {});
    void close();
    bool isOpening() const { return opening_; }

    bool hasModel() const { return model_ != nullptr; }
    /// Only while hasModel(), like plan and report.
    const OpenedModel& model() const { return *model_; }
    std::shared_ptr<const OpenedModel> sharedModel() const { return model_; }

    const core::SurgeryPlan& plan() const { return plan_; }
    const core::PlanReport& report() const { return report_; }

    /// Makes `after` the plan, as one step of undo named `text` in the person's language. A plan
    /// that cannot work is not taken: `refused` says why, false comes back. Same as now: no step.
    bool edit(const QString& text, const core::SurgeryPlan& after, const QString& mergeKey = {});

    QUndoStack& undoStack() { return undoStack_; }
    /// The plan differs from what was saved or loaded last.
    bool isModified() const { return !undoStack_.isClean(); }

    /// Both say failure with `refused` and false.
    bool savePlan(const QString& file);
    bool loadPlan(const QString& file);
    /// Where the plan was saved or loaded last; empty when nowhere.
    QString planFile() const { return planFile_; }

    const std::set<CellId>& selection() const { return selection_; }
    void select(std::set<CellId> cells);
    /// Blocks whose MLP is selected, in the model's order.
    std::vector<std::string> selectedMlps() const;
    /// Of these, the ones that the plan makes MoE.
    std::vector<std::string> selectedMoes() const;

  Q_SIGNALS:
    void openingChanged(bool opening);
    void opened();
    /// `model` says nowhere how many attention heads share its `hidden` numbers: open it again with
    /// the answer.
    void headsAsked(const QString& model, qint64 hidden);
    void closed();
    /// The plan, and with it the report, is another.
    void planChanged();
    void selectionChanged();
    void modifiedChanged(bool modified);
    /// A checkpoint could not be opened.
    void failed(const ui::ErrorText& error);
    /// An edit or a plan file was not taken.
    void refused(const ui::ErrorText& error);

  private:
    void take(std::shared_ptr<const OpenedModel> model);
    void setPlan(const core::SurgeryPlan& plan);
    core::PlanReport compile(const core::SurgeryPlan& plan) const;

    std::shared_ptr<const OpenedModel> model_;
    core::SurgeryPlan plan_;
    core::PlanReport report_;
    std::set<CellId> selection_;
    QUndoStack undoStack_;
    QString planFile_;
    bool opening_ = false;
    quint64 generation_ = 0;
};

}  // namespace ui
