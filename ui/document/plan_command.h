// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/plan.h"

#include <QString>
#include <QUndoCommand>

#include <functional>

namespace ui {

/// The one command class: the plan before and after. Commands with the same non-empty merge key
/// become one, so that turning a spin box is one step back.
class PlanCommand : public QUndoCommand {
  public:
    using Apply = std::function<void(const core::SurgeryPlan&)>;

    PlanCommand(const QString& text, core::SurgeryPlan before, core::SurgeryPlan after,
                QString mergeKey, Apply apply);

    void undo() override { apply_(before_); }
    void redo() override { apply_(after_); }
    int id() const override;
    bool mergeWith(const QUndoCommand* other) override;

  private:
    core::SurgeryPlan before_;
    core::SurgeryPlan after_;
    QString mergeKey_;
    Apply apply_;
};

}  // namespace ui
