// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/document.h"

#include "core/base/file.h"
#include "ui/document/background.h"
#include "ui/document/plan_command.h"

#include <QFile>
#include <QThreadPool>

#include <utility>

namespace ui {

Document::Document(QObject* parent) : QObject(parent) {
    connect(&undoStack_, &QUndoStack::cleanChanged, this,
            [this](bool clean) { Q_EMIT modifiedChanged(!clean); });
}

Document::~Document() { undoStack_.disconnect(this); }

void Document::open(const QString& model, const core::OpenOptions& options) {
    const quint64 generation = ++generation_;
    opening_ = true;
    Q_EMIT openingChanged(true);
    const std::string argument = QFile::encodeName(model).toStdString();
    runInBackground(
        this, QThreadPool::globalInstance(),
        [argument, options] { return openOrAsk(argument, options); },
        [this, generation, model](const Outcome<Opening>& outcome) {
            if (generation != generation_) return;
            opening_ = false;
            Q_EMIT openingChanged(false);
            if (!outcome.value) {
                Q_EMIT failed(outcome.error);
                return;
            }
            if (outcome.value->model)
                take(outcome.value->model);
            else
                Q_EMIT headsAsked(model, outcome.value->hiddenWithoutHeads);
        });
}

void Document::close() {
    ++generation_;
    if (opening_) {
        opening_ = false;
        Q_EMIT openingChanged(false);
    }
    if (!model_) return;
    model_.reset();
    plan_ = {};
    report_ = {};
    selection_.clear();
    planFile_.clear();
    undoStack_.clear();
    Q_EMIT closed();
}

void Document::take(std::shared_ptr<const OpenedModel> model) {
    core::PlanReport report;
    try {
        report = core::compilePlan(model->spec, model->checkpoint->tensors(), {});
    } catch (...) {
        Q_EMIT failed(errorTextOf(std::current_exception()));
        return;
    }
    model_ = std::move(model);
    plan_ = {};
    report_ = std::move(report);
    selection_.clear();
    planFile_.clear();
    undoStack_.clear();
    Q_EMIT opened();
}

core::PlanReport Document::compile(const core::SurgeryPlan& plan) const {
    return core::compilePlan(model_->spec, model_->checkpoint->tensors(), plan);
}

bool Document::edit(const QString& text, const core::SurgeryPlan& after, const QString& mergeKey) {
    if (!model_) return false;
    if (after == plan_) return true;
    try {
        compile(after);
    } catch (...) {
        Q_EMIT refused(errorTextOf(std::current_exception()));
        return false;
    }
    undoStack_.push(new PlanCommand(text, plan_, after, mergeKey,
                                    [this](const core::SurgeryPlan& plan) { setPlan(plan); }));
    return true;
}

void Document::setPlan(const core::SurgeryPlan& plan) {
    if (!model_) return;
    report_ = compile(plan);
    plan_ = plan;
    Q_EMIT planChanged();
}

bool Document::savePlan(const QString& file) {
    try {
        core::writeTextFile(QFile::encodeName(file).toStdString(), core::toJson(plan_));
    } catch (...) {
        Q_EMIT refused(errorTextOf(std::current_exception()));
        return false;
    }
    planFile_ = file;
    undoStack_.setClean();
    return true;
}

bool Document::loadPlan(const QString& file) {
    if (!model_) return false;
    core::SurgeryPlan plan;
    try {
        const core::Path path = QFile::encodeName(file).toStdString();
        plan = core::planFromJson(core::readTextFile(path), path.filename().string());
    } catch (...) {
        Q_EMIT refused(errorTextOf(std::current_exception()));
        return false;
    }
    if (!edit(tr("Load plan"), plan)) return false;
    planFile_ = file;
    undoStack_.setClean();
    return true;
}

void Document::select(std::set<CellId> cells) {
    if (cells == selection_) return;
    selection_ = std::move(cells);
    Q_EMIT selectionChanged();
}

std::vector<std::string> Document::selectedMlps() const {
    std::vector<std::string> blocks;
    if (!model_) return blocks;
    for (const core::BlockSpec& block : model_->spec.blocks)
        if (selection_.contains({block.name, Part::Mlp})) blocks.push_back(block.name);
    return blocks;
}

std::vector<std::string> Document::selectedMoes() const {
    std::vector<std::string> blocks = selectedMlps();
    std::erase_if(blocks,
                  [this](const std::string& block) { return !plan_.layers.contains(block); });
    return blocks;
}

}  // namespace ui
