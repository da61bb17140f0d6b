// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/plan.h"
#include "ui/document/opened_model.h"

#include <QString>

#include <optional>

namespace ui {

/// The MoE settings of a block under a plan: the plan's, the checkpoint's own, or none (dense).
std::optional<core::MoeSpec> moeOf(const core::ModelSpec& spec, const core::SurgeryPlan& plan,
                                   const std::string& block);

/// What a cell says: "Attention" over "3 heads", "8 experts" over "Expert Choice · C 2".
struct CellText {
    QString title;
    QString detail;
    QString shortTitle{};   ///< where the title does not fit: "Cross"; empty: it is cut
    QString shortDetail{};  ///< the same of the detail: "EC · C 2"
};
CellText cellText(const OpenedModel& model, const core::SurgeryPlan& plan, const CellId& cell);

/// The whole sentence for tool tips and screen readers.
QString cellDescription(const OpenedModel& model, const core::SurgeryPlan& plan,
                        const CellId& cell);

/// "Expert Choice", "Top-2".
QString routerText(const core::MoeSpec& moe);

/// A capacity or factor without trailing zeros, in the person's locale.
QString numberText(double value);

}  // namespace ui
