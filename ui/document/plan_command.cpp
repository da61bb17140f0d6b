// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/plan_command.h"

#include <utility>

namespace ui {

PlanCommand::PlanCommand(const QString& text, core::SurgeryPlan before, core::SurgeryPlan after,
                         QString mergeKey, Apply apply)
    : QUndoCommand(text),
      before_(std::move(before)),
      after_(std::move(after)),
      mergeKey_(std::move(mergeKey)),
      apply_(std::move(apply)) {}

int PlanCommand::id() const { return mergeKey_.isEmpty() ? -1 : 1; }

bool PlanCommand::mergeWith(const QUndoCommand* other) {
    const auto* next = dynamic_cast<const PlanCommand*>(other);
    if (next == nullptr || next->mergeKey_ != mergeKey_) return false;
    after_ = next->after_;
    setObsolete(after_ == before_);
    return true;
}

}  // namespace ui
