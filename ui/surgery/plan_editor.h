// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/document.h"
#include "ui/surgery/plan_edits.h"

#include <functional>
#include <string>
#include <vector>

namespace ui {

/// The verbs of surgery: each is one undoable step on the document, named in the person's language.
/// Also remembers what newly switched blocks start with.
class PlanEditor : public QObject {
    Q_OBJECT

  public:
    PlanEditor(Document& document, QObject* parent);

    const NewLayerSettings& newLayerSettings() const { return settings_; }
    /// For blocks switched from now on, and at once for the selected MoE blocks of the plan (all of
    /// them where none is selected).
    void setExperts(std::int64_t experts);
    void setCapacity(double capacity);
    /// The blocks that the two above change.
    std::vector<std::string> targets() const;

    void switchBlocks(const std::vector<std::string>& blocks, bool moe);
    /// All of them MoE, or all dense where all are MoE already.
    void toggle(const std::vector<std::string>& blocks);
    /// Also selects the MLPs that it made MoE.
    void applyPreset(const core::PresetChoice& choice);
    /// One setting of these layers; changes of the same `setting` and blocks in a row are one step.
    bool change(const QString& text, const QString& setting, const std::vector<std::string>& blocks,
                const std::function<void(core::LayerPlan&)>& change);

  Q_SIGNALS:
    void newLayerSettingsChanged();

  private:
    Document& document_;
    NewLayerSettings settings_;
};

/// "Paper’s preset", "Last 3" ...
QString presetName(const core::PresetChoice& choice);

}  // namespace ui
